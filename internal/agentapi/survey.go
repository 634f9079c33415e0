package agentapi

import (
	"time"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
)

// Hello is who an agent is.
type Hello struct {
	API      int    `json:"api"`
	Software string `json:"software"`
	// Build tells builds of the same version apart: a digest of the executable.
	Build string `json:"build"`
	PID   int    `json:"pid"`
}

// Upgrade asks an agent to be replaced by another executable.
type Upgrade struct {
	Executable string `json:"executable"`
}

// Survey is everything that an agent looks after.
type Survey struct {
	Installation string              `json:"installation,omitempty"`
	Regions      []string            `json:"regions"`
	Environments []EnvironmentSurvey `json:"environments"`
	Slots        []SlotSurvey        `json:"slots"`
	// BadRecords are those that can't be used.
	BadRecords []BadRecordSurvey `json:"bad_records,omitempty"`
	// Databases counts what went to the database servers since the agent began.
	Databases []ServerSurvey `json:"databases,omitempty"`
}

// EnvironmentSurvey is an environment in a survey.
type EnvironmentSurvey struct {
	ID      target.EnvironmentID     `json:"id"`
	Ready   bool                     `json:"ready"`
	Problem string                   `json:"problem,omitempty"`
	Status  target.EnvironmentStatus `json:"status"`
}

// BadRecordSurvey is a record that can't be used.
type BadRecordSurvey struct {
	// What is "region", "environment", "account database" or "deployment slot", with its id.
	What string `json:"what"`
	ID   string `json:"id"`
	// Problem says what is wrong with which file, and what to do about it.
	Problem string `json:"problem"`
}

// SlotSurvey is a slot in a survey.
type SlotSurvey struct {
	ID      target.SlotID `json:"id"`
	Serving string        `json:"serving,omitempty"`
	Stacks  []StackSurvey `json:"stacks"`
	Swap    *target.Swap  `json:"swap,omitempty"`
	Hold    *target.Hold  `json:"hold,omitempty"`
}

// StackSurvey is a stack in a survey.
type StackSurvey struct {
	Color   target.Color `json:"color"`
	Release string       `json:"release"`
	Serves  bool         `json:"serves"`
	// Role is "live", "candidate", "fallback", or "leftover" for what the next apply removes.
	Role      string     `json:"role"`
	Instances int        `json:"instances"`
	Healthy   int        `json:"healthy"`
	RetireAt  *time.Time `json:"retire_at,omitempty"`
}

// ServerSurvey counts what went to one database server.
type ServerSurvey struct {
	Environment target.EnvironmentID `json:"environment"`
	Connections int64                `json:"connections"`
	Statements  int64                `json:"statements"`
}
