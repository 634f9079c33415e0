package operator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strings"
	"unicode"

	"github.com/slipway-platform/terraform-provider-slipway/internal/provision"
	"github.com/slipway-platform/terraform-provider-slipway/internal/provision/target"
	"github.com/slipway-platform/terraform-provider-slipway/internal/targets"
	"github.com/slipway-platform/terraform-provider-slipway/internal/wait"
)

// System is what a command works with.
type System struct {
	Stdout, Stderr io.Writer
	// Getenv looks up an environment variable.
	Getenv func(string) string
	// Terminal says that Stdout is one, on which lines can be drawn again.
	Terminal bool
	// Open opens the target that the settings name; see [Opener].
	Open  func(targets.Settings) (target.Driver, error)
	Clock wait.Clock
}

// command is one of the commands.
type command struct {
	name, arguments, purpose string
	// words is how many arguments it takes.
	words int
	// flags are the names of those that only some commands have.
	flags []string
	run   func(context.Context, *call) error
	// reads says that it only reads: it starts nothing either.
	reads bool
}

// commands are all of them, in the order of the usage text.
func commands() []command {
	return []command{
		{"status", "", "what runs in each slot: live, candidate, fallback and its time left", 0, nil, status, true},
		{"watch", "SLOT", "follow a running swap until it ends", 1, nil, watch, true},
		{"history", "SLOT", "the swaps of a slot, the newest first", 1, nil, history, true},
		{"report", "SLOT", "write one HTML page about a swap, with its timeline", 1, []string{"swap", "output"}, report, true},
		{"logs", "SLOT COMPONENT", "the last lines of a component's instances", 2, []string{"lines"}, logs, true},
		{"promote", "SLOT", "approve the candidate that waits, and bring it live", 1, []string{"release"}, promote, false},
		{"rollback", "SLOT", "send the traffic back to the fallback, and put the release on hold", 1, []string{"reason"}, rollback, false},
	}
}

// Has says whether there is a command of this name.
func Has(name string) bool {
	return slices.ContainsFunc(commands(), func(c command) bool { return c.name == name })
}

// call is one command as it was called.
type call struct {
	System
	*provision.Provisioner
	driver target.Driver
	by     string
	words  []string
	// id is the slot that the command is about.
	id target.SlotID

	json                          bool
	swap, output, release, reason string
	lines                         int
}

// Main runs a command and returns the exit code: 0 for success, 1 where it could not do its
// work or a swap that it watched did not end well, 2 for a wrong call.
func Main(ctx context.Context, args []string, s System) int {
	if s.Clock == nil {
		s.Clock = wait.Real{}
	}
	i := slices.IndexFunc(commands(), func(c command) bool { return c.name == args[0] })
	cmd := commands()[i]
	var set settings
	c := &call{System: s, by: operatorName(s.Getenv)}
	flags := cmd.flagSet(c, &set)
	set.registerAWS(flags)
	err := cmd.parse(flags, args[1:], c)
	if err == nil {
		err = set.resolve(s.Getenv)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		cmd.usage(s.Stdout)
		return 0
	case err != nil:
		fmt.Fprintf(s.Stderr, "Error: %s: %v\n\nUsage: %s\n%s --help lists the options.\n", cmd.name, err, cmd.call(), program+" "+cmd.name)
		return 2
	}
	set.Attach = cmd.reads
	c.driver, err = s.Open(set.Settings)
	if err == nil {
		c.Provisioner = provision.New(c.driver, c.by, provision.Options{Clock: s.Clock})
		err = cmd.run(ctx, c)
	}
	var ended *endedError
	switch {
	case errors.As(err, &ended): // what is to be said was said
		return 1
	case err != nil:
		fmt.Fprintln(s.Stderr, "Error:", err)
		return 1
	}
	return 0
}

// endedError makes a command fail that has already told why.
type endedError struct{}

func (*endedError) Error() string { return "the swap did not end well" }

func (cmd command) flagSet(c *call, set *settings) *flag.FlagSet {
	flags := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.BoolVar(&c.json, "json", false, "print JSON")
	set.register(flags)
	for _, name := range cmd.flags {
		switch name {
		case "swap":
			flags.StringVar(&c.swap, name, "", "id of the swap, as history shows it (default: the last one)")
		case "output":
			flags.StringVar(&c.output, name, "", "file to write (default: SLOT-SWAP.html, with \"-\" for \"/\", in this folder)")
		case "lines":
			flags.IntVar(&c.lines, name, 50, "how many lines of each instance")
		case "release":
			flags.StringVar(&c.release, name, "", "release to approve: nothing happens where another one waits (default: whichever waits)")
		case "reason":
			flags.StringVar(&c.reason, name, "", "why, for the hold and the journal; required")
		}
	}
	return flags
}

// program is what people call.
const program = "terraform-provider-slipway"

// call is how a command is called.
func (cmd command) call() string {
	return strings.Join(strings.Fields(program+" "+cmd.name+" "+cmd.arguments+" [OPTIONS]"), " ")
}

func (cmd command) usage(w io.Writer) {
	flags, onAWS := cmd.flagSet(&call{}, &settings{}), flag.NewFlagSet("", flag.ContinueOnError)
	(&settings{}).registerAWS(onAWS)
	fmt.Fprintf(w, "Usage: %s\n\n%s.\n\nOptions:\n", cmd.call(), capital(cmd.purpose))
	flags.SetOutput(w)
	flags.PrintDefaults()
	fmt.Fprint(w, "\nOptions of the aws target, by the names of the provider's aws block:\n")
	onAWS.SetOutput(w)
	onAWS.PrintDefaults()
	if cmd.words > 0 {
		fmt.Fprint(w, "\nSLOT is the id of a deployment slot, such as eu/production/oms.\n")
	}
}

// parse reads options and words, in any order.
func (cmd command) parse(flags *flag.FlagSet, args []string, c *call) error {
	for {
		if err := flags.Parse(args); err != nil {
			return err
		}
		if flags.NArg() == 0 {
			break
		}
		c.words, args = append(c.words, flags.Arg(0)), flags.Args()[1:]
	}
	switch {
	case len(c.words) != cmd.words && cmd.words == 0:
		return fmt.Errorf("it takes no argument, and got %q", c.words)
	case len(c.words) != cmd.words:
		return fmt.Errorf("it takes %s, and got %q", cmd.arguments, c.words)
	case cmd.name == "rollback" && strings.TrimSpace(c.reason) == "":
		return errors.New("it needs --reason TEXT: whoever meets the hold has to know why")
	case strings.ContainsFunc(c.reason, unicode.IsControl):
		return errors.New("--reason has a line break or another control character: expected one line of text")
	case slices.Contains(cmd.flags, "lines") && (c.lines < 1 || c.lines > 10_000):
		return fmt.Errorf("--lines %d is out of range: expected 1 to 10000", c.lines)
	case c.json && c.output != "":
		return errors.New("--json prints and --output writes a page: give one of the two")
	case cmd.words == 0:
		return nil
	}
	var err error
	c.id, err = target.ParseSlotID(c.words[0])
	return err
}

// operatorName names whoever calls, for holds and journals.
func operatorName(getenv func(string) string) string {
	for _, name := range []string{"SLIPWAY_OPERATOR", "USER", "LOGNAME"} {
		if v := getenv(name); v != "" {
			return "operator " + v
		}
	}
	if u, err := user.Current(); err == nil {
		return "operator " + u.Username
	}
	return fmt.Sprintf("operator with uid %d", os.Getuid())
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Usage lists the commands.
func Usage(w io.Writer) {
	fmt.Fprint(w, "Usage: "+program+" COMMAND [OPTIONS]\n\nTerraform starts this program by itself. People call it with one of these:\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-24s %s\n", strings.TrimSpace(c.name+" "+c.arguments), c.purpose)
	}
	fmt.Fprint(w, "  agent                    run, look at or stop the agent of the local target\n\nEach takes --help.\n")
}
