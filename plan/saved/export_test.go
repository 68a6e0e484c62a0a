package saved

// For FuzzDecode.
var IDs = (*Saved).ids
