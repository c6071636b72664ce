using System;

namespace ArrSession
{
    /// <summary>A version of the service's REST API.</summary>
    public enum ApiVersion
    {
        /// <summary>REST v1, under the path /v1. The service chooses session ids.</summary>
        V1 = Native.ARR_API_VERSION_V1,
        /// <summary>
        /// REST 2021-01-01, the latest. The client chooses session ids, so a create can be retried safely. Leases are whole
        /// minutes, at most a day.
        /// </summary>
        V2021_01_01 = Native.ARR_API_VERSION_2021_01_01,
    }

    /// <summary>Which certificate authorities are trusted. Verification cannot be turned off.</summary>
    public enum TrustedRoots
    {
        /// <summary>
        /// The platform's store; Mozilla's list where the platform has no usable store, and always in a library built for
        /// Android or UWP.
        /// </summary>
        Auto = Native.ARR_TRUST_AUTO,
        /// <summary>
        /// The platform's store only. <see cref="ArrStatus.Tls"/> where it has no usable one; always
        /// <see cref="ArrStatus.Unsupported"/> in a library built for Android or UWP.
        /// </summary>
        Platform = Native.ARR_TRUST_PLATFORM,
        /// <summary>Mozilla's list as of the library's build.</summary>
        Bundled = Native.ARR_TRUST_BUNDLED,
    }

    /// <summary>How much is logged. Each level includes the ones above it.</summary>
    public enum ArrLogLevel
    {
        /// <summary>Nothing.</summary>
        Off = Native.ARR_LOG_LEVEL_OFF,
        /// <summary>Failures that were not recovered from.</summary>
        Error = Native.ARR_LOG_LEVEL_ERROR,
        /// <summary>Failures that are retried, and probable mistakes.</summary>
        Warning = Native.ARR_LOG_LEVEL_WARNING,
        /// <summary>Tokens fetched; sessions created, extended and stopped.</summary>
        Info = Native.ARR_LOG_LEVEL_INFO,
        /// <summary>Every request.</summary>
        Debug = Native.ARR_LOG_LEVEL_DEBUG,
    }

    /// <summary>Which thread delivers events and completes tasks.</summary>
    public enum PumpMode
    {
        /// <summary>The application's: it calls <see cref="ArrClient.Pump"/> once a frame.</summary>
        Manual,
        /// <summary>
        /// The client's own thread, "arr-pump", for programs without a loop. Code after an await runs on it, unless the
        /// task had already ended. Not for engines, whose objects belong to one thread.
        /// </summary>
        Background,
    }

    /// <summary>
    /// Options for an <see cref="ArrClient"/>. Required: <see cref="AccountId"/>, <see cref="AccountDomain"/>,
    /// <see cref="ServiceEndpoint"/>, and exactly one of <see cref="AccountKey"/>, <see cref="EntraToken"/> and
    /// <see cref="AccessToken"/>. The client's constructor reads everything. White space around strings is removed, except
    /// around paths. Byte order marks are removed around the account's id, the credential, the domain and the endpoints, and
    /// slashes around the last two. An empty string counts as null.
    /// </summary>
    public sealed class ArrClientOptions
    {
        /// <summary>The version of the REST API. Default <see cref="ArrSession.ApiVersion.V1"/>.</summary>
        public ApiVersion ApiVersion { get; set; } = ApiVersion.V1;

        /// <summary>The account's id, a GUID.</summary>
        public string AccountId { get; set; }

        /// <summary>
        /// Where the account was created: its account domain ("westus2.mixedreality.azure.com") or just the region
        /// ("westus2"). Tokens then come from https://sts.{domain}. Alternatively, the URL of the token service itself.
        /// </summary>
        public string AccountDomain { get; set; }

        /// <summary>
        /// Where sessions run: a region ("westus2"), which may differ from the account's, or the session service's host, or
        /// its URL. HTTPS, or plain HTTP to this machine.
        /// </summary>
        public string ServiceEndpoint { get; set; }

        /// <summary>
        /// The account's primary or secondary key. For development only: never ship it, because it gives access to the
        /// whole account.
        /// </summary>
        public string AccountKey { get; set; }

        /// <summary>
        /// A Microsoft Entra ID (Azure Active Directory) token for the user or the application, with the scope
        /// https://sts.mixedreality.azure.com/.default. It is valid for about an hour; the access token obtained with it,
        /// for a day.
        /// </summary>
        public string EntraToken { get; set; }

        /// <summary>
        /// An access token from the token service, obtained for example by your own server. The client never contacts the
        /// token service.
        /// </summary>
        public string AccessToken { get; set; }

        /// <summary>
        /// Path of a PEM file with additional certificate authorities to trust, for example the emulator's. Read by the
        /// client's constructor. An expired one is still trusted, with a warning in the log. Null: none.
        /// </summary>
        public string CaFile { get; set; }

        /// <summary>Like <see cref="CaFile"/>, but the PEM text itself. Null: none.</summary>
        public string CaPem { get; set; }

        /// <summary>
        /// The HTTP proxy: "system" (the default), "none", or a URL such as http://host:port or
        /// http://user:password@host:port. This machine is always reached directly. No SOCKS.
        /// </summary>
        /// <remarks>
        /// "system" uses the environment or the system's settings: the first of HTTPS_PROXY, https_proxy, ALL_PROXY and
        /// all_proxy that is not empty. Hosts listed in NO_PROXY or no_proxy are reached directly. An entry is a name (which
        /// includes its subdomains), an address, or a network such as 10.0.0.0/8, without a port; * means all hosts. In a URL
        /// the user may have a domain, as in DOMAIN\user; percent-encode other special characters, as UTF-8 (%40 for @).
        /// </remarks>
        public string Proxy { get; set; }

        /// <summary>Added to the User-Agent header, for example "MyApp/1.2". At most 128 printable ASCII characters.</summary>
        public string UserAgentSuffix { get; set; }

        /// <summary>
        /// The folder of the journal, which records created sessions so that <see cref="ArrClient.RecoverSessionsAsync"/>
        /// finds them after a crash. Null: no journal.
        /// </summary>
        /// <remarks>
        /// Created if missing; its parent must exist. Use the same one in every run; clients and processes can share it. It
        /// holds no secrets. A slow disk can make calls exceed their timeouts.
        /// </remarks>
        public string JournalFolder { get; set; }

        /// <summary>
        /// More session services that <see cref="ArrClient.RecoverSessionsAsync"/> may contact and send this account's
        /// token to: comma-separated, each written like <see cref="ServiceEndpoint"/>. A session in the journal at any
        /// other endpoint is reported, not contacted. Null: none.
        /// </summary>
        public string TrustedEndpoints { get; set; }

        /// <summary>
        /// Which certificate authorities to trust besides <see cref="CaFile"/> and <see cref="CaPem"/>. Default
        /// <see cref="TrustedRoots.Auto"/>.
        /// </summary>
        public TrustedRoots Trust { get; set; } = TrustedRoots.Auto;

        /// <summary>What <see cref="ArrClient.LogReceived"/> reports. Default <see cref="ArrLogLevel.Off"/>.</summary>
        public ArrLogLevel LogLevel { get; set; } = ArrLogLevel.Off;

        /// <summary>
        /// Limit for a REST call that is given no timeout, retries included. 1 ms to 1 day; null for 60 s.
        /// </summary>
        public TimeSpan? CallTimeout { get; set; }

        /// <summary>Limit for one request, from connecting to the last byte. 1 ms to 1 day; null for 15 s.</summary>
        public TimeSpan? AttemptTimeout { get; set; }

        /// <summary>Limit for connecting. 1 ms to 1 day; null for 5 s.</summary>
        public TimeSpan? ConnectTimeout { get; set; }

        /// <summary>
        /// The interval between polls of a starting session that is watched or waited for. 1 s to 1 day; 1 ms to 1 day if the
        /// service is on this machine. Null for the default: 10 s, or less as listed in the remarks.
        /// </summary>
        /// <remarks>
        /// The documentation of REST v1 asks for 5 to 10 s. The default is 2 s for a standard session with REST 2021-01-01,
        /// whose official clients poll as often, and 250 ms if the service is on this machine. After a failure,
        /// <c>Retry-After</c> is respected.
        /// </remarks>
        public TimeSpan? PollInterval { get; set; }

        /// <summary>
        /// How long the properties of a ready session count as current, and the interval at which watched ready sessions are
        /// listed. Same range as <see cref="PollInterval"/>; null for 30 s.
        /// </summary>
        public TimeSpan? ReadyPollInterval { get; set; }

        /// <summary>
        /// The delay before the first retry. It doubles with each retry, up to 60 times this value; after a 429 it begins at
        /// 20 times and ends at 120 times this value. A random part of up to half is subtracted. <c>Retry-After</c> sets the
        /// delay instead. 100 ms to 1 day; 1 ms to 1 day if the service is on this machine; null for 500 ms.
        /// </summary>
        public TimeSpan? RetryDelay { get; set; }

        /// <summary>
        /// The maximum number of retries after transient failures within the call's time: 0 (never) to 100; null for 4. A
        /// create with REST v1 is retried only if no part of it was sent, or after a 429.
        /// </summary>
        /// <remarks>
        /// Transient failures are: no connection, 408, 500, 502, 503, 504. Throttling (429) is retried for as long as the
        /// call's time allows, unless this is 0.
        /// </remarks>
        public int? MaxRetries { get; set; }

        /// <summary>
        /// True: calls whose token the service refuses wait, within their time, until the application answers
        /// <see cref="ArrEventType.TokenNeeded"/> with <see cref="ArrClient.SetToken"/>. False, the default: they fail. No
        /// effect with <see cref="AccountKey"/>, with which the library fetches tokens.
        /// </summary>
        public bool TokenOnRequest { get; set; }

        /// <summary>
        /// Which thread delivers events and completes tasks. Default <see cref="ArrSession.PumpMode.Manual"/>.
        /// </summary>
        public PumpMode PumpMode { get; set; } = PumpMode.Manual;

        /// <summary>Fills a native struct. Its texts belong to <paramref name="texts"/>.</summary>
        internal unsafe void Fill(arr_client_options* options, NativeTexts texts)
        {
            *options = Blank.ClientOptions;
            options->api_version = (int)ApiVersion;
            options->account_id = texts.Add(AccountId, "AccountId");
            options->account_domain = texts.Add(AccountDomain, "AccountDomain");
            options->service_endpoint = texts.Add(ServiceEndpoint, "ServiceEndpoint");
            options->account_key = texts.Add(AccountKey, "AccountKey");
            options->entra_token = texts.Add(EntraToken, "EntraToken");
            options->access_token = texts.Add(AccessToken, "AccessToken");
            options->ca_file = texts.Add(CaFile, "CaFile");
            options->ca_pem = texts.Add(CaPem, "CaPem");
            options->proxy = texts.Add(Proxy, "Proxy");
            options->user_agent_suffix = texts.Add(UserAgentSuffix, "UserAgentSuffix");
            options->journal_folder = texts.Add(JournalFolder, "JournalFolder");
            options->trusted_endpoints = texts.Add(TrustedEndpoints, "TrustedEndpoints");
            options->trust = (int)Trust;
            options->log_level = (int)LogLevel;
            options->call_timeout_ms = Durations.Setting(CallTimeout, "CallTimeout");
            options->attempt_timeout_ms = Durations.Setting(AttemptTimeout, "AttemptTimeout");
            options->connect_timeout_ms = Durations.Setting(ConnectTimeout, "ConnectTimeout");
            options->poll_interval_ms = Durations.Setting(PollInterval, "PollInterval");
            options->ready_poll_interval_ms = Durations.Setting(ReadyPollInterval, "ReadyPollInterval");
            options->retry_delay_ms = Durations.Setting(RetryDelay, "RetryDelay");
            options->max_retries = Retries();
            options->token_on_request = TokenOnRequest ? 1 : 0;
        }

        private int Retries()
        {
            if (MaxRetries == null)
            {
                return 0;
            }
            if (MaxRetries < 0)
            {
                throw new ArgumentOutOfRangeException(
                    "MaxRetries", MaxRetries, "must be 0 (never) to 100, or null for the default (4)");
            }
            return MaxRetries == 0 ? Native.ARR_RETRIES_NONE : MaxRetries.Value;
        }
    }

    /// <summary>
    /// The account of an arr-emulator started without options. Public, and no account of any real service: it may appear in
    /// source code.
    /// </summary>
    public static class DevelopmentAccount
    {
        /// <summary>The account's id.</summary>
        public const string AccountId = "d0ca11ed-0000-4000-8000-a0ca7a57e0de";
        /// <summary>The account's key.</summary>
        public const string AccountKey = "YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ=";
        /// <summary>The emulator's URL: both its token service and its session service.</summary>
        public const string Url = "http://127.0.0.1:8722";
    }
}
