package plan

// bytesOf is how much an op moves, at most.
func BytesOf(op Op) int64 {
	switch op := op.(type) {
	case ShallowCopy:
		return op.Bytes
	case LvolDecouple:
		return op.Bytes
	}
	return 0
}

// leastRisk is the mildest risk at which any recipe takes an op.
func LeastRisk(op Op) Risk {
	switch op.(type) {
	case Pause, Drain, ListenerRemove, LvolCloneBdev, LvolSetParent, RaidGrow:
		return RiskPause
	case ShallowCopy, LvolDecouple:
		return RiskCopy
	case RaidRemoveLeg, ControllerDisable, ControllerDetach, UblkStop, NBDStop:
		return RiskReduce
	}
	return RiskCreate
}
