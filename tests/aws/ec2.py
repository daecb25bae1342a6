"""EC2: the tags of a launch template are not in its data, among those of what is launched.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
"""

from typing import Any

from added import add_calls
from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

original = EC2Response.create_launch_template


class Calls:
    def create_launch_template(self: Any) -> ActionResult:
        result = original(self)
        template = self.ec2_backend.get_launch_template_by_name(self._get_param("LaunchTemplateName"))
        data = template.default_version().data
        given = data.get("TagSpecifications", [])
        data["TagSpecifications"] = [each for each in given if each["ResourceType"] != "launch-template"]
        return result


def install() -> None:
    add_calls(EC2Response, Calls)
