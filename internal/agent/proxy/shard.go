package proxy

import (
	"math/bits"
	"math/rand/v2"
	"runtime"
)

// maxShards bounds the memory of what is counted in shards.
const maxShards = 8

// shardCount is a power of two that lets as many requests be counted at a time as can run.
func shardCount() int {
	return min(maxShards, 1<<bits.Len(uint(runtime.GOMAXPROCS(0)-1)))
}

// anyShard picks one of a number of shards that shardCount made.
func anyShard(count int) int { return int(rand.Uint32()) & (count - 1) }
