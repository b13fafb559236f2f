package bolt

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"lull/store"
)

// Check reads the whole database, its trees and every checksum, and says what
// is damaged: an error that wraps [store.ErrCorrupt]. Nothing is written.
//
// A damaged file can end the process, in a goroutine of bbolt where no one can
// catch it. So run Check in a process of its own (Options.Check), and take any
// end but a success for damage; only [ErrLocked] is none.
func Check(path string) error {
	if err := noFolder(path); err != nil {
		return err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return openError(path, err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		if err := checkFormat(tx); err != nil {
			return err
		}
		return errors.Join(checkTrees(tx), checkSeals(tx))
	})
	if err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	return nil
}

// most is how many faults Check tells one by one.
const most = 10

// checkTrees lets bbolt look for pages that are lost, shared or out of order.
func checkTrees(tx *bbolt.Tx) error {
	var faults []error
	for err := range tx.Check() {
		faults = append(faults, fmt.Errorf("%w: %w", store.ErrCorrupt, err))
	}
	return firstOf(faults)
}

// checkSeals compares every value with its checksum.
func checkSeals(tx *bbolt.Tx) error {
	var faults []error
	err := tx.ForEach(func(bucket []byte, b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if _, err := unseal(k, v); err != nil {
				faults = append(faults, fmt.Errorf("%q: %w", bucket, err))
			}
			return nil
		})
	})
	return errors.Join(err, firstOf(faults))
}

// firstOf joins the first faults, and counts the rest.
func firstOf(faults []error) error {
	if len(faults) <= most {
		return errors.Join(faults...)
	}
	rest := fmt.Errorf("and %d more", len(faults)-most)
	return errors.Join(append(faults[:most:most], rest)...)
}
