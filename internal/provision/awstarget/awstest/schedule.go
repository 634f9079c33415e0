package awstest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// schedule tells the next time after another one, zero for none: "Schedule recurring scaling
// actions using cron expressions", PutScheduledAction.
type schedule interface {
	after(time.Time) time.Time
}

// parseSchedule reads at(yyyy-mm-ddThh:mm:ss), rate(N unit) or cron(six fields).
func parseSchedule(text, zone string) (schedule, error) {
	where, err := time.LoadLocation(zone)
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", zone, err)
	}
	kind, rest, ok := strings.Cut(text, "(")
	inner, closes := strings.CutSuffix(rest, ")")
	if !ok || !closes {
		return nil, fmt.Errorf("schedule %q is not at(…), rate(…) or cron(…)", text)
	}
	switch kind {
	case "at":
		at, err := time.ParseInLocation("2006-01-02T15:04:05", inner, where)
		return once(at), err
	case "rate":
		return parseRate(inner)
	case "cron":
		return parseCron(inner, where)
	}
	return nil, fmt.Errorf("schedule %q is not at(…), rate(…) or cron(…)", text)
}

type once time.Time

func (o once) after(t time.Time) time.Time {
	if at := time.Time(o); at.After(t) {
		return at
	}
	return time.Time{}
}

type rate time.Duration

func parseRate(text string) (schedule, error) {
	number, unit, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	d, ok := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[strings.TrimSuffix(unit, "s")]
	if err != nil || !ok || n < 1 || (n == 1) == strings.HasSuffix(unit, "s") {
		return nil, fmt.Errorf("rate(%s) is not a number and minutes, hours or days", text)
	}
	return rate(time.Duration(n) * d), nil
}

func (r rate) after(t time.Time) time.Time { return t.Add(time.Duration(r)) }

// cron has the values of minutes, hours, days of the month, months, days of the week (Sunday is
// 1) and years; nil stands for all.
type cron struct {
	fields [6][]int
	where  *time.Location
}

var cronNames = strings.NewReplacer(
	"JAN", "1", "FEB", "2", "MAR", "3", "APR", "4", "MAY", "5", "JUN", "6", "JUL", "7", "AUG", "8", "SEP", "9", "OCT", "10", "NOV", "11", "DEC", "12",
	"SUN", "1", "MON", "2", "TUE", "3", "WED", "4", "THU", "5", "FRI", "6", "SAT", "7",
)

func parseCron(text string, where *time.Location) (schedule, error) {
	c, words := cron{where: where}, strings.Fields(cronNames.Replace(text))
	if len(words) != 6 || (words[2] == "?") == (words[4] == "?") {
		return nil, fmt.Errorf("cron(%s) is not six fields with ? for one kind of day", text)
	}
	for i, limits := range [6][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {1, 7}, {1970, 2199}} {
		values, err := cronField(words[i], limits[0], limits[1])
		if err != nil {
			return nil, fmt.Errorf("cron(%s): %w", text, err)
		}
		c.fields[i] = values
	}
	return c, nil
}

// cronField reads "*", "?", and lists of "4", "4-7", "*/5" and "4/5".
func cronField(text string, least, most int) ([]int, error) {
	if text == "*" || text == "?" {
		return nil, nil
	}
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		span, every, stepped := strings.Cut(part, "/")
		from, to, ranged := strings.Cut(span, "-")
		low, high, step := least, most, 1
		var errs [3]error
		if from != "*" {
			low, errs[0] = strconv.Atoi(from)
			if high = low; stepped {
				high = most
			}
		}
		if ranged {
			high, errs[1] = strconv.Atoi(to)
		}
		if stepped {
			step, errs[2] = strconv.Atoi(every)
		}
		if errs != [3]error{} || low < least || high > most || low > high || step < 1 {
			return nil, fmt.Errorf("%q is not within %d to %d", part, least, most)
		}
		for n := low; n <= high; n += step {
			all = append(all, n)
		}
	}
	return all, nil
}

func (c cron) after(t time.Time) time.Time {
	has := func(field, value int) bool { return c.fields[field] == nil || slices.Contains(c.fields[field], value) }
	at := t.In(c.where).Truncate(time.Minute).Add(time.Minute)
	for end := at.AddDate(4, 0, 1); at.Before(end); {
		switch {
		case !has(2, at.Day()) || !has(3, int(at.Month())) || !has(4, int(at.Weekday())+1) || !has(5, at.Year()):
			at = time.Date(at.Year(), at.Month(), at.Day()+1, 0, 0, 0, 0, c.where)
		case !has(1, at.Hour()) || !has(0, at.Minute()):
			at = at.Add(time.Minute)
		default:
			return at
		}
	}
	return time.Time{}
}
