package awstest

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

//go:embed server.py
var motoServer string

//go:embed ministack.py
var miniStackServer string

// emulator is a program of others that answers as AWS does. It ends with the process that
// started it, however that ends: its standard input is a pipe that nobody writes to.
type emulator struct {
	url string
	// models is the folder with AWS's service models.
	models string
	// input is kept because the pipe is closed when nothing refers to it any more.
	input io.WriteCloser
}

// way is how requests get to emulators, from many tests at once.
var way = &http.Transport{MaxIdleConnsPerHost: 64}

// startTimeout bounds the start of an emulator, with the installation the first time.
const startTimeout = 20 * time.Minute

// moto starts the emulator of most tests when the first of them needs it.
var moto = sync.OnceValues(func() (emulator, error) {
	return start(motoPackages, motoServer, "MOTO_IAM_LOAD_MANAGED_POLICIES=true", "MOTO_ACM_VALIDATION_WAIT=1", "MOTO_EC2_LOAD_DEFAULT_AMIS=false", "MOTO_DISABLE_GLOBAL_CORS=true")
})

// miniStack starts the other one. It keeps nothing on disk.
var miniStack = sync.OnceValues(func() (emulator, error) {
	return start(miniStackPackages, miniStackServer, "LOG_LEVEL=ERROR")
})

func start(p packages, server string, settings ...string) (emulator, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	interpreter, err := p.python(ctx)
	if err != nil {
		return emulator{}, err
	}
	// The process outlives the context of its start.
	cmd := exec.Command(interpreter, "-c", server)
	cmd.Env = append(environment(os.Environ()), settings...)
	cmd.Dir = os.TempDir()
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return emulator{}, fmt.Errorf("start %s: %w", p.name, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return emulator{}, fmt.Errorf("start %s: %w", p.name, err)
	}
	if err := cmd.Start(); err != nil {
		return emulator{}, fmt.Errorf("start %s: %w", p.name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if !stop() {
		err = errors.Join(err, context.Cause(ctx))
	}
	port, botocore, ok := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || !ok {
		err = errors.Join(err, cmd.Process.Kill(), cmd.Wait())
		return emulator{}, fmt.Errorf("start %s: it said %q and %q: %w", p.name, line, said.String(), err)
	}
	return emulator{url: "http://127.0.0.1:" + port, models: filepath.Join(botocore, "data"), input: in}, nil
}

// environment is without what would lead an emulator's own clients elsewhere.
func environment(inherited []string) []string {
	var env []string
	for _, v := range inherited {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "MOTO_") && !strings.HasPrefix(v, "PYTHON") {
			env = append(env, v)
		}
	}
	return append(env, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
}
