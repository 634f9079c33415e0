//go:build linux || darwin

package hold

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the agent, under the name of the version that it plays.
func TestMain(m *testing.M) {
	if len(os.Args) < 3 {
		os.Exit(m.Run())
	}
	role, dataDir := os.Args[1], os.Args[2]
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("role", role, "self", os.Getpid(), "version", version())
	// syscall.Exit, because os.Exit lets the race detector wait for a second. What it found is in the log.
	switch role {
	case "hold":
		syscall.Exit(exitCode(Main(Options{DataDir: dataDir, Version: version(), Commands: commands(dataDir), Log: log})))
	case "serve":
		syscall.Exit(exitCode(runServer(dataDir, log)))
	case "handshake":
		syscall.Exit(exitCode(playHandshake()))
	case "spawn":
		syscall.Exit(exitCode(spawnAgent(context.Background(), os.Args[0], dataDir)))
	default:
		os.Exit(m.Run())
	}
}

const exitRunning = 7

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	if errors.Is(err, ErrRunning) {
		return exitRunning
	}
	return 1
}

func commands(dataDir string) Commands {
	return Commands{
		Hold:      []string{"hold", dataDir},
		Serve:     []string{"serve", dataDir},
		Handshake: []string{"handshake", dataDir},
	}
}

func spawnAgent(ctx context.Context, executable, dataDir string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return Spawn(ctx, executable, dataDir, commands(dataDir).Hold, filepath.Join(dataDir, "agent.log"))
}

// Versions that misbehave. All others are good ones.
const (
	mute      = "mute"      // is no agent at all
	foreign   = "foreign"   // speaks another protocol
	broken    = "broken"    // its serve dies before it is ready
	vanishing = "vanishing" // its file is gone as soon as its serve runs
	fickle    = "fickle"    // its serve is ready once, later ones die
	late      = "late"      // its serve is ready when it may go
)

func version() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Base(path)
}

func playHandshake() error {
	switch version() {
	case mute:
		return errors.New("what is a handshake")
	case foreign:
		fmt.Println(`{"protocol":99,"version":"foreign"}`)
		return nil
	default:
		return WriteHandshake(os.Stdout, version())
	}
}

// server is a serve that answers every connection with its version and process id.
type server struct {
	dataDir string
	client  *Client
	front   net.Listener
	control net.Listener
	ended   chan struct{} // closed when it shall end
	once    sync.Once
	answers sync.WaitGroup
}

func runServer(dataDir string, log *slog.Logger) error {
	ctx := context.Background()
	switch version() {
	case broken:
		return errors.New("this version is broken")
	case vanishing:
		if err := os.Remove(os.Args[0]); err != nil {
			return err
		}
	}
	if _, err := os.Stat(filepath.Join(dataDir, fickle)); err == nil {
		return errors.New("once is enough")
	}
	client, err := Connect(ctx, ConnectOptions{DataDir: dataDir, Commands: commands(dataDir), Log: log})
	if err != nil {
		return err
	}
	defer client.Close()
	s := &server{dataDir: dataDir, client: client, ended: make(chan struct{})}
	if s.front, err = client.Listener(ctx, "front", "127.0.0.1:0"); err != nil {
		return err
	}
	if s.control, err = client.UnixListener(ctx, "control", SocketPath(dataDir), 0o600); err != nil {
		return err
	}
	if version() == late {
		settles(time.Minute, func() bool { _, err := os.Stat(filepath.Join(dataDir, "go")); return err == nil })
	}
	if err := client.Ready(ctx); err != nil {
		return err
	}
	if err := s.supervise(); err != nil {
		return err
	}
	var group sync.WaitGroup
	group.Go(func() { s.accept(s.front, s.greet) })
	group.Go(func() { s.accept(s.control, s.command) })
	select {
	case <-client.StopRequested():
		if err := client.Bye(ctx); err != nil {
			return err
		}
	case <-s.ended:
	}
	s.stopAccepting()
	group.Wait()
	s.answers.Wait()
	return nil
}

// supervise leaves a complaint if another living process does so too.
func (s *server) supervise() error {
	path := filepath.Join(s.dataDir, "supervisor")
	if text, err := os.ReadFile(path); err == nil {
		if pid, _ := strconv.Atoi(string(text)); alive(pid) {
			return os.WriteFile(filepath.Join(s.dataDir, "two-supervisors"), fmt.Appendf(text, " %d", os.Getpid()), 0o600)
		}
	}
	if version() == fickle {
		if err := os.WriteFile(filepath.Join(s.dataDir, fickle), nil, 0o600); err != nil {
			return err
		}
	}
	front := filepath.Join(s.dataDir, "front")
	if err := os.WriteFile(front+".new", []byte(s.front.Addr().String()), 0o600); err != nil {
		return err
	}
	if err := os.Rename(front+".new", front); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())), 0o600)
}

func (s *server) stopAccepting() {
	_ = s.front.Close()
	_ = s.control.Close()
}

func (s *server) end() { s.once.Do(func() { close(s.ended) }) }

func (s *server) accept(listener net.Listener, answer func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		s.answers.Go(func() {
			defer conn.Close()
			answer(conn)
		})
	}
}

// greet answers once the other side has said something or ended its sending half.
func (s *server) greet(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 1))
	fmt.Fprintf(conn, "%s %d", version(), os.Getpid())
}

// command does what a line on the control socket says.
func (s *server) command(conn net.Conn) {
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	words := strings.Fields(line)
	switch words[0] {
	case "who":
		fmt.Fprintf(conn, "%s %d", version(), os.Getpid())
	case "environment":
		_, _ = io.WriteString(conn, strings.Join(os.Environ(), "\n"))
	case "close":
		fmt.Fprint(conn, s.client.CloseListener(context.Background(), words[1]))
	case "bye":
		fmt.Fprint(conn, s.client.Bye(context.Background()))
		s.end()
	case "upgrade":
		err := s.client.Upgrade(context.Background(), words[1])
		if err == nil {
			s.stopAccepting()
			err = errors.Join(os.Remove(filepath.Join(s.dataDir, "supervisor")), s.client.Release(context.Background()))
			s.end()
		}
		fmt.Fprint(conn, err)
	}
}

// alive says whether a process runs: a zombie that nobody waits for does not.
func alive(pid int) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(string(state), "Z")
}
