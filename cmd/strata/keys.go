package main

import (
	"context"

	"strata/schema"
	"strata/secret"
)

// key reads a key of an encrypted volume, as far as the operator's word goes.
func (s *source) key(ctx context.Context, v *schema.Volume, from schema.Secret) (k secret.VolumeKey, err error) {
	allowed, err := secret.Read(s.secrets)
	if err != nil {
		return k, err
	}
	text, err := allowed.Of(ctx, secret.Password, from, v.KeyHost())
	if err != nil {
		return k, err
	}
	return secret.ParseKey(text)
}

// hostKey reads a key of a host that is put on nodes, as far as the operator's word goes: it is
// given for the volume, as for the key of an encrypted one.
func (s *source) hostKey(ctx context.Context, of schema.SentKey) (k secret.HostKey, err error) {
	allowed, err := secret.Read(s.secrets)
	if err != nil {
		return k, err
	}
	text, err := allowed.Of(ctx, secret.Password, of.From, of.Volume.KeyHost())
	if err != nil {
		return k, err
	}
	return secret.ParseHostKey(of.Role, text)
}
