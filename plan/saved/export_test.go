package saved

// For FuzzDecode.
var (
	IDs          = (*Saved).ids
	PendingNames = (*Saved).pending
)
