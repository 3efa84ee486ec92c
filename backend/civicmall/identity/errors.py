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


class PurposeChanged(Problem):
    """The app asks for something else it says than what the citizen was shown; `claims` has what it
    says now.
    """

    type, status, title = "/problems/purpose-changed", 409, "What this is asked for has changed."


class SignInAgain(Problem):
    """Who changes how they sign in must have signed in within the last ten minutes."""

    type, status, title = "/problems/sign-in-again", 403, "Please sign in again first."


class ActingNotAllowed(Problem):
    """The right to act for somebody doesn't go so far; `missing` says what it lacks: "view", "apply" or
    "pay", "shop" (it holds for others only), or "self" (only they themselves may do this).
    """

    type, status, title = (
        "/problems/acting-not-allowed",
        403,
        "You may not do this for somebody else.",
    )


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


class SecondFactorNeeded(Problem):
    """The password was right; `ticket` goes with the code of the second factor, one of `factors`."""

    type, status, title = "/problems/second-factor-needed", 401, "Now the second factor, please."


class SecondFactorMissing(Problem):
    """A second factor is asked for here, and the account has none yet: enrol one."""

    type, status, title = "/problems/second-factor-missing", 403, "First set up a second factor."


class WrongFactor(Problem):
    """Another code, one that was used, or too many were tried: no difference is shown."""

    type, status, title = "/problems/wrong-second-factor", 401, "The code is not right."


class TicketOver(Problem):
    """The ticket between password and second factor was used, tried too often, or is too old."""

    type, status, title = "/problems/ticket-over", 401, "Please begin again with the password."


class EnrolmentOver(Problem):
    """No second factor is being set up in this session, or its time is over: begin again."""

    type, status, title = "/problems/enrolment-over", 409, "Please begin the set-up again."


class HasFactor(Problem):
    """The account has a second factor; only who shows a code of it replaces it."""

    type, status, title = "/problems/has-second-factor", 409, "There is a second factor already."


class PasswordUnfit(Problem):
    """A password that is too short or too easily guessed; `reason` says which."""

    type, status, title = "/problems/password-unfit", 422, "Choose another password."


class NoSuchStaff(Problem):
    """There is no such staff account."""

    type, status, title = "/problems/no-such-staff", 404, "There is no such account."


class SecondOperatorNeeded(Problem):
    """One's own request, or one's own account: another operator decides."""

    type, status, title = "/problems/second-operator-needed", 403, "Another operator decides this."


class ResetWaits(Problem):
    """A reset of this account's second factor waits for a second operator already."""

    type, status, title = "/problems/factor-reset-waits", 409, "A reset waits for another operator."


class RequestOver(Problem):
    """What was asked for was decided, or nobody decided it in time."""

    type, status, title = "/problems/request-over", 409, "This request is decided or out of time."


class NoSuchLookup(Problem):
    """There is no such look-up, or it is another operator's."""

    type, status, title = "/problems/no-such-lookup", 404, "There is no such look-up."


class ReasonNeeded(Problem):
    """Personal data is opened with a reason, for a quarter of an hour; the citizen sees it."""

    type, status, title = "/problems/reason-needed", 403, "Say first why you need this."


class TooManyTries(Problem):
    """More came from this device or network than people need; `retry_after_s` says when to go on."""

    type, status, title = "/problems/too-many-tries", 429, "Too many tries; try again later."


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
