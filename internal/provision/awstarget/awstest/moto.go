package awstest

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

//go:embed server.py
var server string

// moto is the emulator of this test binary. It ends with the process that started it, however
// that ends: its standard input is a pipe that nobody writes to.
type moto struct {
	url string
	// models is the folder with AWS's service models.
	models string
	// input is kept because the pipe is closed when nothing refers to it any more.
	input io.WriteCloser
}

// startTimeout bounds the start of moto, with the installation the first time.
const startTimeout = 20 * time.Minute

// emulator starts moto when the first test needs it.
var emulator = sync.OnceValues(func() (moto, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	interpreter, err := python(ctx)
	if err != nil {
		return moto{}, err
	}
	return start(ctx, interpreter)
})

func start(ctx context.Context, interpreter string) (moto, error) {
	// The process outlives the context of its start.
	cmd := exec.Command(interpreter, "-c", server)
	cmd.Env = environment(os.Environ())
	cmd.Dir = os.TempDir()
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return moto{}, fmt.Errorf("start moto: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return moto{}, fmt.Errorf("start moto: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return moto{}, fmt.Errorf("start moto: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if !stop() {
		err = errors.Join(err, context.Cause(ctx))
	}
	port, botocore, ok := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || !ok {
		err = errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		return moto{}, fmt.Errorf("start moto: it said %q and %q: %w", line, said.String(), err)
	}
	return moto{url: "http://127.0.0.1:" + port, models: filepath.Join(botocore, "data"), input: in}, nil
}

// environment is without what would lead moto's own clients elsewhere.
func environment(inherited []string) []string {
	var env []string
	for _, v := range inherited {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "MOTO_") && !strings.HasPrefix(v, "PYTHON") {
			env = append(env, v)
		}
	}
	return append(env, "MOTO_IAM_LOAD_MANAGED_POLICIES=true", "MOTO_ACM_VALIDATION_WAIT=1", "MOTO_EC2_LOAD_DEFAULT_AMIS=false",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
}
