//go:build linux

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// application is what the tests deploy; the first word says how it behaves.
func application(behaviour string, args []string) int {
	fmt.Printf("%s begins as release %s\n", behaviour, os.Getenv("SLIPWAY_RELEASE"))
	switch behaviour {
	case "crash":
		fmt.Println("the configuration is not readable")
		return 3
	case "leak": // shows what it must not, and ends
		fmt.Println("the key is", os.Getenv("API_KEY"))
		return report(leakPasswords())
	case "tell": // prints a line and ends with a code
		fmt.Println(args[1])
		code, err := strconv.Atoi(args[0])
		if err != nil {
			return 2
		}
		return code
	case "hang":
		fmt.Println("waiting for what never comes")
		stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer cancel()
		<-stop.Done()
		return 0
	case "migrate":
		return report(migrate(context.Background()))
	case "suite":
		return report(suite(context.Background()))
	case "lonely":
		return report(lonely(context.Background()))
	}
	return report(serveApplication(behaviour))
}

// leakPasswords prints the password of every account.
func leakPasswords() error {
	files, err := filepath.Glob(filepath.Join(os.Getenv("SLIPWAY_ACCOUNTS_DIR"), "*.password"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Printf("connecting with %s to %s\n", text, file)
	}
	return errors.New("and that was too much")
}

func report(err error) int {
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func serveApplication(behaviour string) error {
	port := os.Getenv("PORT")
	if behaviour == "fixedport" {
		port = os.Getenv("FIXED_PORT")
	}
	var checks atomic.Int64
	health := func(w http.ResponseWriter, _ *http.Request) {
		n := checks.Add(1)
		if behaviour == "sick" || behaviour == "flapping" && n%2 == 0 {
			fmt.Println("check", n, "finds no connection to the warehouse")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", health)
	mux.HandleFunc("/slow", slow)
	mux.HandleFunc("/stream", stream)
	mux.HandleFunc("/upload", upload)
	mux.HandleFunc("/talk", talk(os.Getenv("SLIPWAY_RELEASE")))
	mux.Handle("/orders", &orders{})
	mux.HandleFunc("/", moody(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Getenv("SLIPWAY_RELEASE")) }))
	server := &http.Server{Addr: net.JoinHostPort("127.0.0.1", port), Handler: mux, ReadHeaderTimeout: time.Minute}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		<-stop.Done()
		ended <- server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// slow answers after the milliseconds that it is asked for.
func slow(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.FormValue("milliseconds"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(time.Duration(n) * time.Millisecond):
		fmt.Fprintln(w, os.Getenv("SLIPWAY_RELEASE"))
	case <-r.Context().Done():
	}
}

// stream answers with as many events as it is asked for, ten a second.
func stream(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.FormValue("events"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for i := range n {
		fmt.Fprintf(w, "data: %d %s\n\n", i, os.Getenv("SLIPWAY_RELEASE"))
		if flush.Flush() != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}

// suite is a test suite: it passes if the preview entrance leads to its own release.
func suite(ctx context.Context) error {
	pem, err := os.ReadFile(os.Getenv("SLIPWAY_CA_FILE"))
	if err != nil {
		return err
	}
	client, err := newClient(pem, os.Getenv("SLIPWAY_PREVIEW_ADDRESS"))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("SLIPWAY_PREVIEW_URL")+"/", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if got, want := response.Header.Get("Slipway-Release"), os.Getenv("SLIPWAY_RELEASE"); got != want {
		return fmt.Errorf("the preview leads to release %q, want %q", got, want)
	}
	return nil
}
