package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"

	"golang.org/x/net/http/httpguts"
)

// lastChunk is the shortest end that a chunked body can have.
const lastChunk = "0\r\n\r\n"

// errClient is wrapped by errors that are not the instance's fault.
var errClient = errors.New("write to client")

// copyBody copies the body of an answer and its trailers. Whatever is there is flushed
// before it waits for more.
func (x *exchange) copyBody(rep reply, memory []byte) error {
	from := x.conn.reader
	if rep.length >= 0 && int64(from.Buffered()) >= rep.length {
		return x.copyBuffered(int(rep.length))
	}
	if memory == nil {
		buffer := x.proxy.buffers.get()
		defer x.proxy.buffers.put(buffer)
		memory = (*buffer)[:cap(*buffer)]
	}
	var body io.Reader = from
	switch {
	case rep.chunked:
		body = httputil.NewChunkedReader(from)
	case rep.length >= 0:
		body = &exactReader{from: from, left: rep.length}
	}
	if err := x.pump(body, memory, rep.length < 0); err != nil {
		return err
	}
	if rep.chunked {
		return x.copyTrailers()
	}
	return nil
}

// copyBuffered copies a body that is completely in the reader's buffer.
func (x *exchange) copyBuffered(length int) error {
	if length > 0 {
		body, err := x.conn.reader.Peek(length)
		if err != nil {
			return err
		}
		if err := x.write(body); err != nil {
			return err
		}
		if _, err := x.conn.reader.Discard(length); err != nil {
			return err
		}
	}
	if x.r.ProtoMajor == 1 {
		// net/http would do it after we have left, and who waits for us would not see it.
		x.flush()
	}
	return nil
}

// pump copies until the body ends. With flushHead it does not wait for the first bytes
// before it has flushed the head.
func (x *exchange) pump(body io.Reader, memory []byte, flushHead bool) error {
	unflushed := flushHead
	for {
		if unflushed && x.conn.reader.Buffered() < len(lastChunk) {
			x.flush()
			unflushed = false
		}
		n, err := body.Read(memory)
		if n > 0 {
			if err := x.write(memory[:n]); err != nil {
				return err
			}
			unflushed = true
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (x *exchange) write(b []byte) error {
	if _, err := x.w.Write(b); err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	return nil
}

func (x *exchange) flush() {
	if f, ok := x.w.(http.Flusher); ok {
		f.Flush()
	}
}

// copyTrailers reads what follows the last chunk.
func (x *exchange) copyTrailers() error {
	lines, err := readHead(x.conn.reader)
	if err != nil {
		return err
	}
	if headEnd([]byte(lines)) <= len("\r\n") {
		return nil
	}
	p := replyParser{header: http.Header{}}
	if err := p.parseFields(lines); err != nil {
		return err
	}
	x.flush() // trailers need a chunked answer, which a flushed one is
	h := x.w.Header()
	announced := h["Trailer"]
	for key, values := range p.header {
		if !httpguts.ValidTrailerHeader(key) {
			continue
		}
		if !httpguts.HeaderValuesContainsToken(announced, key) {
			key = http.TrailerPrefix + key
		}
		h[key] = values
	}
	return nil
}

// exactReader reads a body of known length, whose early end is an error.
type exactReader struct {
	from *bufio.Reader
	left int64
}

func (e *exactReader) Read(b []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.from.Read(b[:min(int64(len(b)), e.left)])
	e.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
