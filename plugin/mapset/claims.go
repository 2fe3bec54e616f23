package mapset

import "maps"

// claims is who holds what. A clone shares all that was there before: to replace one
// document of ten thousand must not cost a copy of what the others claim.
type claims[K comparable] struct {
	base map[K]claim // shared, and never written to
	over map[K]claim // what is not as in base; the zero claim of what is given up
	held int
}

// get returns the claim to key, if there is one.
func (c *claims[K]) get(key K) (claim, bool) {
	if now, ok := c.over[key]; ok {
		return now, now.claimant != nil
	}
	was, ok := c.base[key]
	return was, ok
}

// put enters a claim to key, in place of one that there may be.
func (c *claims[K]) put(key K, by claim) {
	if _, ok := c.get(key); !ok {
		c.held++
	}
	c.differ(key, by)
}

func (c *claims[K]) differ(key K, now claim) {
	if c.over == nil {
		c.over = make(map[K]claim)
	}
	c.over[key] = now
}

// drop gives up the claim to key, if there is one.
func (c *claims[K]) drop(key K) {
	if _, ok := c.get(key); !ok {
		return
	}
	c.held--
	if _, below := c.base[key]; below {
		c.differ(key, claim{})
		return
	}
	delete(c.over, key)
}

// oneIn is which part of base may differ before there is a new one: copying what
// differs and making a new base then cost about the same.
const oneIn = 32

// clone returns claims that can be changed without changing c, nor must c be after.
func (c *claims[K]) clone() claims[K] { return claims[K]{c.base, maps.Clone(c.over), c.held} }

// settle is to be called when no more changes: clones are cheap after it.
func (c *claims[K]) settle() {
	if len(c.over) <= len(c.base)/oneIn {
		return
	}
	if len(c.base) == 0 {
		c.base, c.over = c.over, nil
		return
	}
	base := make(map[K]claim, c.held)
	for key, by := range c.base {
		if _, differs := c.over[key]; !differs {
			base[key] = by
		}
	}
	for key, by := range c.over {
		if by.claimant != nil {
			base[key] = by
		}
	}
	c.base, c.over = base, nil
}
