"""What can go wrong at the identity centre."""

from civicmall.kernel.errors import Problem


class SignInNeeded(Problem):
    """No access token came with the request."""

    type, status, title = "/problems/sign-in-needed", 401, "Please sign in."


class TokenExpired(Problem):
    """The access token's time is over; the refresh token gets another."""

    type, status, title = "/problems/token-expired", 401, "Your session needs to be renewed."


class TokenInvalid(Problem):
    """Not a token of ours, not for this use, or of a session that was ended; `reason` says which."""

    type, status, title = "/problems/token-invalid", 401, "This sign-in is not valid."


class NotAllowed(Problem):
    """Signed in, but not as somebody who may do this."""

    type, status, title = "/problems/not-allowed", 403, "You may not do this."


class WrongCode(Problem):
    """Another code was sent to this phone; `tries_left` says how often one may try again."""

    type, status, title = "/problems/wrong-code", 401, "The code is not right."


class CodeUsedUp(Problem):
    """Expired, used, never sent, or tried too often: ask for a new one."""

    type, status, title = "/problems/code-used-up", 401, "This code no longer works; get a new one."


class TooManyCodes(Problem):
    """More codes were asked for this phone than people need."""

    type, status, title = "/problems/too-many-codes", 429, "Too many codes; try again later."


class WrongPassword(Problem):
    """No such staff account, or another password: no difference is shown."""

    type, status, title = "/problems/wrong-password", 401, "Account or password is not right."


class RefreshReused(Problem):
    """A refresh token came a second time: the session was ended, for it may be stolen."""

    type, status, title = "/problems/refresh-reused", 401, "This session was ended for safety."


class NotInRegister(Problem):
    """The authority's register has nobody of this name and number."""

    type, status, title = "/problems/not-in-register", 422, "Name and ID number don't match."


class NumberTaken(Problem):
    """Another account was verified with this ID number."""

    type, status, title = "/problems/id-number-taken", 409, "This ID number has another account."


class AlreadyVerified(Problem):
    """The account was verified as somebody else."""

    type, status, title = "/problems/already-verified", 409, "This account is verified already."


class BadDeclaration(Problem):
    """A fact that can't be declared or whose value has another form; `errors` names it."""

    type, status, title = "/problems/bad-declaration", 422, "This information can't be taken."
