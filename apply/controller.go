package apply

import (
	"context"

	"strata/spdk"
)

// pathsOf are the paths of a controller; none if it is gone.
func pathsOf(ctx context.Context, t *spdk.Client, controller string) (paths []spdk.ControllerPath, err error) {
	list, err := t.GetControllers(ctx)
	for _, c := range list {
		if c.Name == controller {
			paths = append(paths, c.Paths...)
		}
	}
	return paths, err
}

// stateOf is what a controller is, as its target calls it, or "gone".
func stateOf(ctx context.Context, t *spdk.Client, controller string) (string, error) {
	paths, err := pathsOf(ctx, t, controller)
	if len(paths) == 0 {
		return "gone", err
	}
	return paths[len(paths)-1].State, err
}
