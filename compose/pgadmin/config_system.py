"""pgAdmin's settings; the rest has its defaults."""

SERVER_MODE = True
DATA_DIR = "/var/lib/pgadmin"
# The container's log has it.
LOG_FILE = "/dev/null"
UPGRADE_CHECK_ENABLED = False
# It is reached by 127.0.0.1 alone, without a proxy.
PROXY_X_FOR_COUNT = 0
PROXY_X_PROTO_COUNT = 0
PROXY_X_PORT_COUNT = 0
