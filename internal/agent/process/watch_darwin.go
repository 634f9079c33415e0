package process

// watch returns the watcher of a running process, or ErrGone.
func watch(id Identity) (watcher, error) { return newPollWatcher(id) }
