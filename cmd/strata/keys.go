package main

import (
	"context"

	"strata/schema"
	"strata/secret"
)

// key reads the key of an encrypted volume, as far as the operator's word goes.
func (s *source) key(ctx context.Context, v *schema.Volume) (k secret.VolumeKey, err error) {
	allowed, err := secret.Read(s.secrets)
	if err != nil {
		return k, err
	}
	text, err := allowed.Of(ctx, secret.Password, v.Encryption.Key, v.KeyHost())
	if err != nil {
		return k, err
	}
	return secret.ParseKey(text)
}
