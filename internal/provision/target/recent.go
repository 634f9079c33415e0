package target

import "context"

type recentKey struct{}

// AllowRecent lets reads under a context be answered by what the driver saw in the last seconds
// in the same run, for this object or another. It is for looks at many objects at once, such as
// the refresh of a plan; who is about to act looks anew. Drivers need not make use of it.
func AllowRecent(ctx context.Context) context.Context {
	return context.WithValue(ctx, recentKey{}, true)
}

// RecentAllowed says whether a context is one of [AllowRecent].
func RecentAllowed(ctx context.Context) bool {
	allowed, _ := ctx.Value(recentKey{}).(bool)
	return allowed
}

type recordedKey struct{}

// RecordsOnly lets GetRegion, GetEnvironment and GetAccountDatabase under a context answer what is
// recorded, without a look at whether everything is as it should be. It is for checks of other
// objects against the definition, and for what could not be finished. Drivers need not make use of it.
func RecordsOnly(ctx context.Context) context.Context {
	return context.WithValue(ctx, recordedKey{}, true)
}

// OnlyRecords says whether a context is one of [RecordsOnly].
func OnlyRecords(ctx context.Context) bool {
	only, _ := ctx.Value(recordedKey{}).(bool)
	return only
}
