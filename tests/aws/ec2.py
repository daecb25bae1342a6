"""EC2: what moto forgets.

The tags of a launch template are not in its data, among those of what is launched
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html). A rule that refers to a security group has a
description too (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html). A launch template may be tagged later.
"""

from typing import Any

from added import add_calls
from moto.core.responses import ActionResult
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.security_groups import SecurityGroupRule
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


def description(rule: SecurityGroupRule) -> str | None:
    return rule.ip_range.get("Description") or rule.source_group.get("Description")


def install() -> None:
    SecurityGroupRule.description = property(description)
    # moto sets the attribute once, to the tags of the beginning.
    LaunchTemplate.tags = property(LaunchTemplate.get_tags, lambda _template, _tags: None)
    add_calls(EC2Response, Calls)
