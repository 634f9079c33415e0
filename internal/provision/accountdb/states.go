package accountdb

// InTheWay tells whether a SQLSTATE means that somebody else worked on the same or a shared
// object at the same time. What is there has to be read again then.
func InTheWay(state string) bool {
	switch state {
	case "42710", "42P04", "23505", // exists by now: an object, a database, a row of a catalogue
		"42704", "3D000", // is gone by now: an object, a database
		"55006",          // is in use
		"XX000",          // "tuple concurrently updated" has no code of its own
		"40001", "40P01": // serialization failure, deadlock
		return true
	}
	return false
}
