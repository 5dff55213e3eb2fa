package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/meshproof/meshproof/framework/claim"
	"github.com/meshproof/meshproof/framework/fault"
	"github.com/meshproof/meshproof/framework/leak"
)

// Search is what came of a search for secrets in all that a session wrote.
type Search struct {
	Leaks []leak.Leak
	// Secrets and Files are how many were searched for, and in how many files.
	Secrets, Files int
}

// SearchSecrets plants a canary wherever a person may keep a secret on the clusters of the standing mesh, has the mesh judged
// (it must pass), and searches the whole report directory for the canary and for every secret of the clusters.
func (s *Session) SearchSecrets(ctx context.Context) (Search, error) {
	rig, err := s.newRig("canaries")
	if err != nil {
		return Search{}, err
	}
	canary := "canary" + rand.Text()
	if err := fault.PlantCanary(ctx, rig, canary); err != nil {
		return Search{}, fmt.Errorf("plant a canary: %w", err)
	}
	secrets, err := leak.Secrets(ctx, s.set)
	if err != nil {
		return Search{}, err
	}
	secrets["the canary"] = canary
	found, err := s.Judge(ctx, filepath.Join(s.o.ReportDir, "canaries"), JudgeOptions{Samples: provingSamples})
	if err != nil || found.Verdict != claim.Passed {
		return Search{}, errors.Join(fmt.Errorf("the mesh with canaries is %s: %s", found.Verdict, found.Reason), err)
	}
	if err := s.saveDiagnostics(ctx); err != nil { // of a mesh that passes there are none
		return Search{}, err
	}
	result := Search{Secrets: len(secrets)}
	result.Leaks, result.Files, err = leak.Search(s.o.ReportDir, secrets)
	return result, err
}
