package proxy

import "sync"

// bufferSize is what one read of a body may bring.
const bufferSize = 32 << 10

// buffers are pieces of memory that are lent for parts of a request. Their zero value works.
type buffers struct{ pool sync.Pool }

// get lends an empty slice of capacity bufferSize or more.
func (b *buffers) get() *[]byte {
	if got, ok := b.pool.Get().(*[]byte); ok {
		return got
	}
	made := make([]byte, 0, bufferSize)
	return &made
}

// put takes one back, which may have grown.
func (b *buffers) put(p *[]byte) {
	if cap(*p) > 2*bufferSize {
		return
	}
	*p = (*p)[:0]
	b.pool.Put(p)
}
