"""What can go wrong with a release."""

from civicmall.kernel.errors import Problem


class NoSuchRelease(Problem):
    """No release of this id, or one of another department."""

    type, status, title = "/problems/no-such-release", 404, "There is no such release."


class BadShopManifest(Problem):
    """The manifest can't be taken; `key` says where, the detail how to mend it."""

    type, status, title = "/problems/bad-manifest", 422, "The shop's manifest is wrong."


class ReportFailed(Problem):
    """The conformance report has checks that failed, or apps that no check met: `failed`."""

    type, status, title = "/problems/report-failed", 422, "The conformance report doesn't pass."


class NotYourShop(Problem):
    """The shop's id belongs to another department."""

    type, status, title = "/problems/not-your-shop", 403, "This shop is another department's."


class AccountTaken(Problem):
    """The settlement account is another shop's, of whatever version; each shop has its own."""

    type, status, title = (
        "/problems/settlement-account-taken",
        409,
        "This settlement account is another shop's.",
    )


class VersionNotHigher(Problem):
    """A version like this or a higher one was submitted before; each change gets a higher one."""

    type, status, title = "/problems/version-not-higher", 409, "The version must be a higher one."


class ReleaseMoved(Problem):
    """The release is in another `state` by now, from which this step doesn't lead on."""

    type, status, title = "/problems/release-moved", 409, "The release is at another step by now."


class FourEyes(Problem):
    """Whoever submitted or approved a release can't also put it before citizens."""

    type, status, title = "/problems/four-eyes", 403, "This step is for a second person."


class CanaryRunning(Problem):
    """Another version of this shop is on trial; one at a time."""

    type, status, title = "/problems/canary-running", 409, "Another version is on trial already."


class NothingBefore(Problem):
    """There is no earlier release of this shop to go back to; it can be suspended."""

    type, status, title = "/problems/nothing-before", 409, "There is no earlier version to go to."
