package lease

import (
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
)

// orphaned is how long a command goes on at most whose run was killed on another machine: istioctl waits for 5 minutes by itself.
const orphaned = 5 * time.Minute

// orphans says what may still be under way of a run whose lease is over; "" when nothing can be.
func orphans(l *coordinationv1.Lease, now time.Time) string {
	if l.Spec.RenewTime == nil || now.After(l.Spec.RenewTime.Add(orphaned+apart)) {
		return ""
	}
	return fmt.Sprintf(": what that run had begun on its machine may go on until %s and make anew what is removed before: look again then (meshproof cleanup with these kubeconfigs)",
		l.Spec.RenewTime.Add(orphaned).UTC().Format(time.RFC3339))
}

func over(l *coordinationv1.Lease, now time.Time) bool {
	if l.Spec.RenewTime == nil || l.Spec.LeaseDurationSeconds == nil {
		return true
	}
	return now.After(l.Spec.RenewTime.Add(time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second))
}
