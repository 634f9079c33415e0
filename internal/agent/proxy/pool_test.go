package proxy

import (
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pooled returns a connection whose other side stays open for the length of the test.
func pooled(t *testing.T) *conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		_ = l.Close()
	})
	return c
}

func TestIdleConnectionsAreClosedWhenTheyAreOfAge(t *testing.T) {
	t.Parallel()
	first, second := pooled(t), pooled(t)
	synctest.Test(t, func(t *testing.T) {
		p := &pool{}
		p.keep(true)
		p.put(first, time.Now())
		<-time.After(idleAge / 2)
		p.put(second, time.Now())
		<-time.After(idleAge/2 + time.Millisecond)
		synctest.Wait()
		if len(p.idle) != 1 || p.idle[0] != second || first.alive() {
			t.Errorf("after the age of the first %d are kept, the first open: %t", len(p.idle), first.alive())
		}
		if c := p.take(); c != second || !c.alive() {
			t.Error("the second was not to be had")
		}
		p.put(second, time.Now().Add(-2*idleAge))
		if c := p.take(); c != nil || second.alive() {
			t.Error("a connection past its age was to be had")
		}
	})
}

func TestAPoolOutOfRotationKeepsNothing(t *testing.T) {
	t.Parallel()
	first, second := pooled(t), pooled(t)
	p := &pool{}
	p.keep(true)
	p.put(first, time.Now())
	p.keep(false)
	p.put(second, time.Now())
	if c := p.take(); c != nil || first.alive() || second.alive() {
		t.Errorf("kept: first open %t, second open %t", first.alive(), second.alive())
	}
}
