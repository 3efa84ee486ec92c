"""What can go wrong with passkeys."""

from civicmall.kernel.errors import Problem


class PasskeysNotOffered(Problem):
    """Passkeys belong to a domain name (Web Authentication, section 5.1.2); this installation's
    public address has none.
    """

    type, status, title = "/problems/passkeys-not-offered", 404, "Passkeys are not offered here."


class CeremonyOver(Problem):
    """The challenge was answered, is too old, or was another session's or browser's: ask for a new one."""

    type, status, title = "/problems/passkey-ceremony-over", 409, "Please try the passkey again."


class PasskeyRefused(Problem):
    """The answer is not one of this city's passkeys, not for here, or not verified: no difference is
    shown.
    """

    type, status, title = "/problems/passkey-refused", 401, "This passkey can't be used here."


class PasskeyNotTaken(Problem):
    """What the device made is no passkey that can be taken: not for here, its user not verified, of
    an unknown kind, or not readable.
    """

    type, status, title = "/problems/passkey-not-taken", 422, "This passkey can't be added."


class PasskeyKnown(Problem):
    """The passkey was added before, here or by somebody else."""

    type, status, title = "/problems/passkey-known", 409, "This passkey was added before."


class TooManyPasskeys(Problem):
    """Nobody needs more; `most` says how many there may be."""

    type, status, title = "/problems/too-many-passkeys", 409, "You have too many passkeys."


class PasskeySetAside(Problem):
    """Its counter went back, so there may be a copy of it: it is not taken any more. The owner is told,
    signs in another way, and removes it.
    """

    type, status, title = "/problems/passkey-set-aside", 403, "This passkey may have been copied."


class NoSuchPasskey(Problem):
    """The caller has no passkey of this id."""

    type, status, title = "/problems/no-such-passkey", 404, "There is no such passkey."
