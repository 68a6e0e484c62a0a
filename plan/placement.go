package plan

import "strata/lineage"

// Placement says where a volume's replicas go.
type Placement struct {
	Volume string
	Chosen []Choice
	Others []Choice // filled when Options.Explain is set
}

// Choice is a node that was chosen or passed over, and why.
type Choice struct {
	Node    lineage.Node
	Lvstore string
	Why     string
}

// Place is the place that was chosen.
func (c Choice) Place() lineage.Place { return lineage.Place{Node: c.Node, Lvstore: c.Lvstore} }
