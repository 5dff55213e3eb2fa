package html

import (
	"io"

	"github.com/meshproof/meshproof/framework/claim"
)

// Matrix is several runs side by side: a column a run, a row a claim. What a row has for the runs is in their order.
type Matrix struct {
	Runs   []MatrixRun
	Facts  []MatrixFact
	Claims []MatrixClaim
	Open   []MatrixOpen
}

// MatrixRun is the head of a column.
type MatrixRun struct {
	ID      string
	Began   string
	Verdict claim.Verdict
	Reason  string
}

// MatrixFact is something that was tested; "" where a run does not tell it. Differs tells that the runs do not agree.
type MatrixFact struct {
	Name    string
	Values  []string
	Differs bool
}

// MatrixClaim has the worst verdict of a claim's findings in each run; "" where the run does not have it.
type MatrixClaim struct {
	ID       string
	Area     claim.Area
	Extended bool
	Sentence string
	Verdicts []claim.Verdict
}

// MatrixOpen is a finding that is not passed.
type MatrixOpen struct {
	Run string
	claim.Finding
}

// RenderMatrix writes the matrix as one self-contained page.
func RenderMatrix(w io.Writer, m Matrix) error { return write(w, "matrix.html", m) }
