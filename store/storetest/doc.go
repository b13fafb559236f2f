// Package storetest is the suite that every engine of the store must pass, and
// Faulty, which makes any store fail.
//
//	func TestStore(t *testing.T) { storetest.Run(t, engine) }
//
// Run has a test for each promise of the contract. Machine plays random days
// against a model that knows each copy by itself; Same plays one on two
// engines; Undo takes everything back. All look at every copy after every step.
package storetest
