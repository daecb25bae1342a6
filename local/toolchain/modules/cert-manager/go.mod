module orcheo.local/toolchain/cert-manager

go 1.26.0
