package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxHead bounds the head, and the trailers, of an instance's answer.
const maxHead = 256 << 10

// readHead reads lines up to and with an empty one. It returns io.EOF only if there was
// nothing at all.
func readHead(r *bufio.Reader) (string, error) {
	if _, err := r.Peek(1); err != nil {
		return "", err
	}
	// Most heads come in one piece, which fits into the buffer.
	window, err := r.Peek(r.Buffered())
	if err != nil {
		return "", err
	}
	if end := headEnd(window); end > 0 {
		head := string(window[:end])
		_, err := r.Discard(end)
		return head, err
	}
	return readLongHead(r)
}

// headEnd returns the length of the lines up to and with the first empty one, 0 if there
// is none yet.
func headEnd(b []byte) int {
	for start := 0; ; {
		length := bytes.IndexByte(b[start:], '\n')
		if length < 0 {
			return 0
		}
		if length == 0 || length == 1 && b[start] == '\r' {
			return start + length + 1
		}
		start += length + 1
	}
}

func readLongHead(r *bufio.Reader) (string, error) {
	var head []byte
	start := 0 // of the line being read
	for {
		part, err := r.ReadSlice('\n')
		head = append(head, part...)
		switch {
		case len(head) > maxHead:
			return "", fmt.Errorf("%w: its head is longer than %d bytes", errBadReply, maxHead)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		}
		if line := head[start:]; len(line) == 1 || len(line) == 2 && line[0] == '\r' {
			return string(head), nil
		}
		start = len(head)
	}
}
