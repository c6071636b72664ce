using System;

namespace ArrSession
{
    /// <summary>A version of the service's REST API.</summary>
    public enum ApiVersion
    {
        /// <summary>REST v1, under the path /v1. The service chooses session ids.</summary>
        V1 = Native.ARR_API_VERSION_V1,
        /// <summary>
        /// REST 2021-01-01, the last one. The client chooses session ids, so that a create can be repeated safely; leases are
        /// whole minutes, of at most a day.
        /// </summary>
        V2021_01_01 = Native.ARR_API_VERSION_2021_01_01,
    }

    /// <summary>Which certificate authorities are trusted. There is no way to turn verification off.</summary>
    public enum TrustedRoots
    {
        /// <summary>
        /// The platform's; the bundled ones where it has no usable store, and always in a library that was built for Android or
        /// UWP.
        /// </summary>
        Auto = Native.ARR_TRUST_AUTO,
        /// <summary>
        /// The platform's. <see cref="ArrStatus.Tls"/> where it has no usable store; always <see cref="ArrStatus.Unsupported"/> in a
        /// library that was built for Android or UWP.
        /// </summary>
        Platform = Native.ARR_TRUST_PLATFORM,
        /// <summary>Mozilla's list, as it was when the library was built.</summary>
        Bundled = Native.ARR_TRUST_BUNDLED,
    }

    /// <summary>How much is logged.</summary>
    public enum ArrLogLevel
    {
        /// <summary>Nothing.</summary>
        Off = Native.ARR_LOG_LEVEL_OFF,
        /// <summary>What went wrong and was not made good.</summary>
        Error = Native.ARR_LOG_LEVEL_ERROR,
        /// <summary>What went wrong and is tried again, and what is probably not meant.</summary>
        Warning = Native.ARR_LOG_LEVEL_WARNING,
        /// <summary>What was done: tokens, sessions created, extended and stopped.</summary>
        Info = Native.ARR_LOG_LEVEL_INFO,
        /// <summary>Every request.</summary>
        Debug = Native.ARR_LOG_LEVEL_DEBUG,
    }

    /// <summary>Who pulls what the native library has to tell.</summary>
    public enum PumpMode
    {
        /// <summary>The application, by calling <see cref="ArrClient.Pump"/>, once a frame.</summary>
        Manual,
        /// <summary>
        /// A thread of the client's, "arr-pump": for programs without a loop. Tasks are completed, and events raised, on that
        /// thread; so what awaits a task goes on there, unless it has ended before it is awaited. Not for engines, whose objects
        /// belong to one thread.
        /// </summary>
        Background,
    }

    /// <summary>
    /// What an <see cref="ArrClient"/> is made from: give <see cref="AccountId"/>, <see cref="AccountDomain"/>,
    /// <see cref="ServiceEndpoint"/> and exactly one of <see cref="AccountKey"/>, <see cref="EntraToken"/> and
    /// <see cref="AccessToken"/>. Everything is read by the client's constructor; white space, byte order marks and slashes
    /// around texts are taken off; null or empty is absent.
    /// </summary>
    public sealed class ArrClientOptions
    {
        /// <summary>The REST version to speak. Default <see cref="ArrSession.ApiVersion.V1"/>.</summary>
        public ApiVersion ApiVersion { get; set; } = ApiVersion.V1;

        /// <summary>The account's id, a GUID.</summary>
        public string AccountId { get; set; }

        /// <summary>
        /// Where the account was made: its account domain ("westus2.mixedreality.azure.com") or just the region ("westus2").
        /// Tokens are asked for at https://sts.{domain}. A full URL is taken as the token service itself.
        /// </summary>
        public string AccountDomain { get; set; }

        /// <summary>
        /// Where sessions run, which may be another region: the region ("westus2"), the session service's host, or its URL.
        /// HTTPS, or plain HTTP to this machine.
        /// </summary>
        public string ServiceEndpoint { get; set; }

        /// <summary>
        /// The account's primary or secondary key. For development: never ship it in an application, whoever has it can use the
        /// whole account.
        /// </summary>
        public string AccountKey { get; set; }

        /// <summary>
        /// A token of Microsoft Entra ID (Azure Active Directory) for the user or the application, asked for with the scope
        /// https://sts.mixedreality.azure.com/.default. It lives for about an hour; the access token made of it for a day.
        /// </summary>
        public string EntraToken { get; set; }

        /// <summary>
        /// A ready access token of the token service, for example from a server of your own. The token service is never asked.
        /// </summary>
        public string AccessToken { get; set; }

        /// <summary>
        /// The path of a PEM file with further certificate authorities to trust, for example the emulator's. Read by the
        /// client's constructor.
        /// </summary>
        public string CaFile { get; set; }

        /// <summary>The same as text.</summary>
        public string CaPem { get; set; }

        /// <summary>
        /// The HTTP proxy: "system" (the default) as the environment or the system's settings say, "none", or a URL
        /// (http://host:port, with user:password@ if it asks for them). This machine is always reached directly.
        /// </summary>
        public string Proxy { get; set; }

        /// <summary>Text to add to the User-Agent header, for example "MyApp/1.2": up to 128 printable ASCII characters.</summary>
        public string UserAgentSuffix { get; set; }

        /// <summary>
        /// The path of a file that remembers which sessions were created, so that <see cref="ArrClient.RecoverSessionsAsync"/>
        /// finds them after a crash. Its folder must exist; give always the same path. Several clients and processes may share
        /// it. It holds no secret. Null: nothing is remembered.
        /// </summary>
        public string JournalPath { get; set; }

        /// <summary>Which other certificate authorities to trust. Default <see cref="TrustedRoots.Auto"/>.</summary>
        public TrustedRoots Trust { get; set; } = TrustedRoots.Auto;

        /// <summary>What <see cref="ArrClient.LogReceived"/> tells. Default <see cref="ArrLogLevel.Off"/>.</summary>
        public ArrLogLevel LogLevel { get; set; } = ArrLogLevel.Off;

        /// <summary>
        /// How long a REST call may take in all, repetitions included, if it is called without a timeout. 1 ms to 1 day; null
        /// is the default, 60 s.
        /// </summary>
        public TimeSpan? CallTimeout { get; set; }

        /// <summary>
        /// How long one request may take, from connecting to the last byte. 1 ms to 1 day; null is the default, 15 s.
        /// </summary>
        public TimeSpan? AttemptTimeout { get; set; }

        /// <summary>How long connecting may take. 1 ms to 1 day; null is the default, 5 s.</summary>
        public TimeSpan? ConnectTimeout { get; set; }

        /// <summary>
        /// How often a session that starts is read while it is waited for. 1 s to 1 day, towards this machine from 1 ms; null is
        /// the default: 10 s, which is what the service asks for, or 2 s for a standard session with REST 2021-01-01.
        /// </summary>
        public TimeSpan? PollInterval { get; set; }

        /// <summary>
        /// How long what was read of a ready session counts as current. In the same range; null is the default, 30 s.
        /// </summary>
        public TimeSpan? ReadyPollInterval { get; set; }

        /// <summary>
        /// How long the first repetition of a failed request waits, and each further one twice as long, less a random part of up
        /// to a half. 100 ms to 1 day, towards this machine from 1 ms; null is the default, 500 ms.
        /// </summary>
        public TimeSpan? RetryDelay { get; set; }

        /// <summary>
        /// How often a request that failed for a passing reason is repeated within the call's time: 0 (never) to 100; null is
        /// the default, 4. A create of REST v1 is never repeated once any part of it was sent.
        /// </summary>
        public int? MaxRetries { get; set; }

        /// <summary>
        /// True: the application answers <see cref="ArrEventType.TokenNeeded"/> by <see cref="ArrClient.SetToken"/>; calls whose
        /// token was refused, or has run out, wait for the new one within their time. Only with <see cref="EntraToken"/> or
        /// <see cref="AccessToken"/>. False, the default: they fail.
        /// </summary>
        public bool TokenOnRequest { get; set; }

        /// <summary>Who pulls events. Default <see cref="ArrSession.PumpMode.Manual"/>.</summary>
        public PumpMode PumpMode { get; set; } = PumpMode.Manual;

        /// <summary>Sets a native struct up. The texts in it belong to <paramref name="texts"/>.</summary>
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
            options->journal_path = texts.Add(JournalPath, "JournalPath");
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
                throw new ArgumentOutOfRangeException("MaxRetries", MaxRetries, "0 (never) to 100, or null for the default");
            }
            return MaxRetries == 0 ? Native.ARR_RETRIES_NONE : MaxRetries.Value;
        }
    }

    /// <summary>
    /// The account that arr-emulator has when it is started without options. It is known to everybody, and no account of any
    /// service: it may stand in source code.
    /// </summary>
    public static class DevelopmentAccount
    {
        /// <summary>Its id.</summary>
        public const string AccountId = "d0ca11ed-0000-4000-8000-a0ca7a57e0de";
        /// <summary>Its key.</summary>
        public const string AccountKey = "YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ=";
        /// <summary>Where the emulator listens: token service and session service.</summary>
        public const string Url = "http://127.0.0.1:8722";
    }
}
