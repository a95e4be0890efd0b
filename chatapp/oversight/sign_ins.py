"""A failed sign-in → whether its name, or the place that it comes from, is heard again for now."""

from ipaddress import IPv6Network, ip_address
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import F, Sum
from django.db.models.functions import Least
from django.http import HttpRequest

from chatapp.oversight.audit import client_address

NAMES_A_PLACE = 10


class Locks(AxesDatabaseHandler):  # type: ignore[misc]
    """django-axes locks a name at a place; this locks a place, too, after as many failures as ten
    locked names have, of ten names or more. As there is one limit, ten failures there count as one.
    """

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        of_name: int = super().get_failures(request, credentials)
        recent = AccessAttempt.objects.filter(
            ip_address=request.axes_ip_address, attempt_time__gte=get_cool_off_threshold(request)
        )
        of_each = Least(F("failures_since_start"), settings.AXES_FAILURE_LIMIT)
        of_place: int = recent.aggregate(sum=Sum(of_each))["sum"] or 0
        return max(of_name, of_place // NAMES_A_PLACE)


def place(request: HttpRequest) -> str | None:
    """The client's address; of IPv6 its first 64 bits, as a subscriber has all that begin so."""
    address = client_address(request)
    if address is None or ip_address(address).version == 4:
        return address
    return str(IPv6Network((address, 64), strict=False).network_address)
