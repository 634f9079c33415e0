// Package process runs application processes that outlive whoever started them and can be found again.
//
// Two kinds exist. An [Instance] is one running copy of a component: its process runs until it dies or
// is stopped. A [Task] is a migration or a test suite: it runs once and leaves its [Result] in a file,
// so that even an agent that was killed meanwhile learns how it ended.
//
// Nothing is ever started that nobody knows about. [Start] starts a shim — our own binary, see
// [ShimMain] — in a session of its own; the shim waits. The caller's Record writes the shim's
// [Identity] down, only then does the shim hear "go" and become the command. If the agent dies before
// that, the shim reads end of file and leaves without having started anything. If it dies after, the
// next agent passes the recorded identity to [Find].
//
// Secrets travel to the shim through a pipe, never in arguments; a process inherits no descriptor and
// no variable of the agent.
//
// Beside processes the package holds what their supervision needs: [Tail] and [RotateLog] for
// their logs, [Backoff] for their restarts, [Ports] for the ports they listen on. Those work everywhere;
// Start and Find exist on Linux and macOS only.
package process
