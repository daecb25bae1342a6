"""The credentials that AWS' command has for a profile, in JSON: it may ask for the code of an MFA device."""

import json
import sys

from botocore.session import Session

found = Session(profile=sys.argv[1]).get_credentials().get_frozen_credentials()
print(json.dumps({"AccessKeyId": found.access_key, "SecretAccessKey": found.secret_key, "SessionToken": found.token}))
