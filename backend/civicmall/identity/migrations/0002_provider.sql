-- signing in elsewhere with an account of the city: clients, pushed requests, codes, grants
-- depends: 0001_identity

-- migrate: apply

-- Who may ask citizens to sign in with us. A change is a new version, drafted by one operator and
-- approved by another; the one in force is `active`. `purpose` and the claims' purposes are what the
-- consent page says.
create table identity.client (
    client_id       text        not null check (client_id ~ '^[a-z][a-z0-9-]{2,39}$'),
    version         int         not null check (version > 0),
    status          text        not null check (status in ('draft', 'active', 'retired')),
    kind            text        not null check (kind in ('confidential', 'public')),
    native          boolean     not null,
    owner_name      text        not null check (length(owner_name) between 1 and 120),
    name            jsonb       not null check (name ? 'zh-CN' and name ? 'en'),
    purpose         jsonb       not null check (purpose ? 'zh-CN' and purpose ? 'en'),
    redirect_uris   text[]      not null check (cardinality(redirect_uris) between 1 and 20),
    post_logout_redirect_uris text[] not null check (cardinality(post_logout_redirect_uris) <= 20),
    backchannel_logout_uri    text,
    auth_method     text        not null check (auth_method in
        ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none')),
    jwks            jsonb,
    sector          text        not null check (sector <> ''),
    scopes          text[]      not null check ('openid' = any(scopes)),
    claims          jsonb       not null,
    min_level       smallint    not null check (min_level between 1 and 3),
    par_required    boolean     not null,
    id_token_alg    text        not null check (id_token_alg in ('ES256', 'RS256')),
    drafted_by      uuid        not null,
    drafted_at      timestamptz not null default now(),
    approved_by     uuid,
    approved_at     timestamptz,
    retired_at      timestamptz,
    primary key (client_id, version),
    constraint client_four_eyes check (approved_by <> drafted_by),
    check ((approved_by is not null) = (approved_at is not null)),
    check (status <> 'active' or approved_by is not null),
    check ((status = 'retired') = (retired_at is not null)),
    check ((kind = 'public') = (auth_method = 'none')),
    check ((auth_method = 'private_key_jwt') = (jwks is not null)),
    check (not native or kind = 'public')
);
create unique index client_active on identity.client (client_id) where status = 'active';
create unique index client_draft on identity.client (client_id) where status = 'draft';

-- Secrets are 256 random bits, shown once; here is a keyed hash. A new one lets the last one work on
-- for a while, so that a client can be changed over without a gap.
create table identity.client_secret (
    client_id text        not null,
    hash      bytea       not null check (length(hash) = 32),
    made_by   uuid        not null,
    made_at   timestamptz not null default now(),
    ends_at   timestamptz,
    primary key (client_id, hash)
);

-- A request that was pushed (RFC 9126), and one that a citizen is answering: both are used once.
-- Before anybody has signed in there is no citizen; the bucket is drawn.
create table identity.par (
    bucket     smallint    not null,
    id         uuid        not null,
    kind       text        not null check (kind in ('pushed', 'ticket')),
    client_id  text        not null,
    request    jsonb       not null,
    browser    bytea       check (length(browser) = 32),
    session_id uuid,
    made_at    timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    primary key (bucket, id),
    check ((kind = 'ticket') = (browser is not null))
);
create index par_expires on identity.par (expires_at);

-- An answer on its way through a browser; `id` is the grant's that it becomes. Tried once: `used_at`.
create table identity.auth_code (
    bucket       smallint    not null,
    id           uuid        not null,
    citizen_id   uuid        not null,
    session_id   uuid        not null,
    client_id    text        not null,
    redirect_uri text        not null,
    challenge    text        not null check (challenge ~ '^[A-Za-z0-9_-]{43}$'),
    scope        text[]      not null,
    claims       text[]      not null,
    nonce        text,
    acr          smallint    not null check (acr between 1 and 3),
    amr          text[]      not null,
    auth_time    timestamptz not null,
    made_at      timestamptz not null default now(),
    expires_at   timestamptz not null,
    used_at      timestamptz,
    primary key (bucket, id)
);
create index auth_code_expires on identity.auth_code (expires_at);

-- What a client may do in a citizen's name since one signing in; its refresh tokens are generations.
-- One that is not `offline` lives no longer than the session it came from.
create table identity.grant_ (
    bucket     smallint    not null,
    id         uuid        not null,
    citizen_id uuid        not null,
    session_id uuid        not null,
    client_id  text        not null,
    scope      text[]      not null,
    claims     text[]      not null,
    offline    boolean     not null,
    acr        smallint    not null check (acr between 1 and 3),
    amr        text[]      not null,
    auth_time  timestamptz not null,
    generation int         not null default 0,
    rotated_at timestamptz not null default now(),
    made_at    timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    why        text        not null default '' check (why ~ '^[a-z_]{0,40}$'),
    primary key (bucket, id),
    check ((revoked_at is not null) = (why <> ''))
);
create index grant_of_citizen on identity.grant_ (bucket, citizen_id, client_id) where revoked_at is null;
create index grant_revoked on identity.grant_ (revoked_at) where revoked_at is not null;
create index grant_expires on identity.grant_ (expires_at);

-- A client's assertion works once (RFC 7523 section 3).
create table identity.assertion (
    bucket     smallint    not null,
    hash       bytea       not null check (length(hash) = 32),
    expires_at timestamptz not null,
    primary key (bucket, hash)
);
create index assertion_expires on identity.assertion (expires_at);

-- migrate: rollback

drop table identity.assertion, identity.grant_, identity.auth_code, identity.par,
           identity.client_secret, identity.client;
