package spdk

// ConfigGet names the part of a target of which to read how it would be made again
// (framework_get_config).
type ConfigGet struct {
	Name string `json:"name"`
}

func (ConfigGet) Method() string   { return "framework_get_config" }
func (p ConfigGet) Object() string { return p.Name }

// ConfigCall is one of the calls that would make again what a target has for hosts. No other call tells
// which listeners are of TLS, and by which key hosts come. Members of other calls are empty.
type ConfigCall struct {
	Method string `json:"method"`
	Params struct {
		NQN     string  `json:"nqn"`
		Host    string  `json:"host"`
		PSK     string  `json:"psk"` // the name of the key, as it was when the host was added
		Address Address `json:"listen_address"`
		Secure  bool    `json:"secure_channel"`
	} `json:"params"`
}

// The calls of which more is known than that they are there.
const (
	ConfigHost     = "nvmf_subsystem_add_host"
	ConfigListener = "nvmf_subsystem_add_listener"
)

// GetNVMfConfig reads how what the target has for hosts would be made again (framework_get_config).
func GetNVMfConfig(out *[]ConfigCall) *Req { return NewReq(ConfigGet{"nvmf"}, out) }

// SockOptionsGet names a kind of sockets (sock_impl_get_options).
type SockOptionsGet struct {
	Impl string `json:"impl_name"` // "ssl", "posix", "uring"
}

func (SockOptionsGet) Method() string   { return "sock_impl_get_options" }
func (p SockOptionsGet) Object() string { return p.Impl }

// SockOptions are those of a kind of sockets. They can be set as a target starts, and not later.
type SockOptions struct {
	Receive int64 `json:"recv_buf_size"` // bytes; 4096 for ssl by default
	Send    int64 `json:"send_buf_size"`
}

// GetSockOptions reads those of a kind of sockets (sock_impl_get_options).
func GetSockOptions(impl string, out *SockOptions) *Req { return NewReq(SockOptionsGet{impl}, out) }
