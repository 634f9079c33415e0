package main

// bug is empty in good releases. The demo builds a bad one, to show that its test suite
// keeps it from going live: go build -ldflags "-X main.release=3 -X main.bug=quantity".
var bug string

// recorded is the quantity that is stored for an order.
func recorded(ordered int) int {
	if bug == "quantity" {
		return 1
	}
	return ordered
}
