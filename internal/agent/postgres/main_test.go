//go:build !windows

package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/slipway-platform/terraform-provider-slipway/internal/agent/postgres"
)

// agentOptions names the variable that makes the test binary play an agent:
// it ensures the server that the variable describes and waits to be killed.
const agentOptions = "SLIPWAY_TEST_AGENT_OPTIONS"

func TestMain(m *testing.M) {
	if text, ok := os.LookupEnv(agentOptions); ok {
		playAgent(text)
	}
	os.Exit(m.Run())
}

func playAgent(text string) {
	var options postgres.Options
	if err := json.Unmarshal([]byte(text), &options); err != nil {
		panic(err)
	}
	server, err := postgres.New(options)
	if err != nil {
		panic(err)
	}
	if err := server.Ensure(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(server.Status().PID)
	select {}
}
