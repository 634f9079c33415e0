package process

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Result says how a task ended. A task without one was killed together with its shim.
type Result struct {
	ExitCode int `json:"exit_code"`
	// Signal names what killed the command, as in SIGTERM; ExitCode is then -1.
	Signal string `json:"signal,omitempty"`
	// StartError says why the command could not even be started; ExitCode is then -1.
	StartError string    `json:"start_error,omitempty"`
	FinishedAt time.Time `json:"finished_at"`
}

// ReadResult reads what a task left. The error is fs.ErrNotExist when it left nothing (yet).
func ReadResult(path string) (Result, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Result{}, fmt.Errorf("read task result: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var r Result
	if err := decoder.Decode(&r); err != nil {
		return Result{}, fmt.Errorf("read task result %s: %w", path, err)
	}
	return r, nil
}

// write makes the result durable under its final name at once or not at all.
func (r Result) write(path string) (err error) {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode task result: %w", err)
	}
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, ".result-*")
	if err != nil {
		return fmt.Errorf("write task result: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(append(text, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err == nil {
		err = syncFolder(folder)
	}
	if err != nil {
		return fmt.Errorf("write task result: %w", err)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
