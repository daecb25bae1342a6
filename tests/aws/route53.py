"""Route 53: the id of a hosted zone begins with Z, as in https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html."""

from moto.route53 import models

original = models.create_route53_zone_id


def install() -> None:
    models.create_route53_zone_id = lambda **given: f"Z{original(**given)[1:]}"
