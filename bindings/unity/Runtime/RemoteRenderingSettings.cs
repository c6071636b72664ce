using System;
using System.IO;
using UnityEngine;

namespace ArrSession.Unity
{
    /// <summary>Where the credential comes from.</summary>
    public enum CredentialSource
    {
        /// <summary>Nowhere yet: no session can be started, and a build fails.</summary>
        None,

        /// <summary>The emulator's development account, whose key is public. The only key that may be in a build.</summary>
        DevelopmentAccount,

        /// <summary>A token provider: the asset that is named here, or a component beside the session.</summary>
        TokenProvider,

        /// <summary>An account's own key, in the Editor only: a build with it fails.</summary>
        AccountKeyInEditor,
    }

    /// <summary>When the application counts as suspended.</summary>
    public enum SuspendTrigger
    {
        /// <summary>
        /// Headsets, phones and store apps: when the application is paused, as by taking the headset off. Desktops and the
        /// Editor: never, since losing the focus is no suspend there.
        /// </summary>
        PlatformDefault,

        /// <summary>When Unity pauses the application.</summary>
        Pause,

        /// <summary>When Unity pauses the application, and when it loses the focus.</summary>
        PauseOrFocusLoss,

        /// <summary>Only by <see cref="RemoteRenderingSession.Suspend"/>.</summary>
        Never,
    }

    /// <summary>
    /// Account, service and behaviour, shared by all sessions of a project. Create one by Assets, Create, Remote Rendering.
    /// </summary>
    [CreateAssetMenu(menuName = "Remote Rendering/Settings", fileName = "RemoteRenderingSettings")]
    public sealed class RemoteRenderingSettings : ScriptableObject
    {
        [Header("Credential")]
        [Tooltip("Where the credential comes from. An account key other than the development account's never gets into a build.")]
        [SerializeField] CredentialSource credential = CredentialSource.DevelopmentAccount;
        [Tooltip("For Token Provider: the asset that gives tokens. A Token Provider component beside the session goes before it.")]
        [SerializeField] TokenProviderAsset tokenProvider = null;
        [Tooltip("The account's id, a GUID. The development account needs none.")]
        [SerializeField] string accountId = "";
        [Tooltip("For Account Key In Editor: the primary or secondary key. Clear it before you build.")]
        [SerializeField] string accountKey = "";

        [Header("Service")]
        [Tooltip("Where the account was made: its account domain, or the region, or a URL. Empty with the development account: the emulator on this machine.")]
        [SerializeField] string accountDomain = "";
        [Tooltip("Where sessions run: a region, a host or a URL. Empty with the development account: the emulator on this machine.")]
        [SerializeField] string serviceEndpoint = "";
        [Tooltip("The version of the REST API to speak.")]
        [SerializeField] ApiVersion apiVersion = ApiVersion.V1;
        [Tooltip("PEM text with further certificate authorities to trust, for example the emulator's.")]
        [TextArea]
        [SerializeField] string certificateAuthorities = "";
        [Tooltip("Which other certificate authorities to trust: the device's where it has any for this library, else Mozilla's list (Auto); only the device's (Platform); only Mozilla's list (Bundled).")]
        [SerializeField] TrustedRoots trust = TrustedRoots.Auto;
        [Tooltip("\"system\", \"none\" or a URL. Empty: system.")]
        [SerializeField] string proxy = "";

        [Header("Behaviour")]
        [Tooltip("The most that a call may take, in seconds. 0: the library's default, 60 s.")]
        [Min(0)]
        [SerializeField] float callTimeoutSeconds = 0;
        [Tooltip("How often a starting session is read, in seconds. 0: what the service asks for.")]
        [Min(0)]
        [SerializeField] float pollIntervalSeconds = 0;
        [Tooltip("How often a ready session is read, in seconds. 0: the library's default, 30 s.")]
        [Min(0)]
        [SerializeField] float readyPollIntervalSeconds = 0;
        [Tooltip("Remember created sessions in a file below Application.persistentDataPath, so that the next run finds what a crash has left.")]
        [SerializeField] bool journal = true;
        [Tooltip("What of the library's log goes to the console.")]
        [SerializeField] ArrLogLevel logLevel = ArrLogLevel.Warning;
        [Tooltip("How long the end of play mode, a reload or quitting may hold the main thread, in seconds.")]
        [Min(0)]
        [SerializeField] float shutdownSeconds = 3;
        [Tooltip("When the application counts as suspended.")]
        [SerializeField] SuspendTrigger suspendOn = SuspendTrigger.PlatformDefault;
        [Tooltip("How long a suspend may hold the main thread, in seconds. Store apps have 5 s in all.")]
        [Min(0)]
        [SerializeField] float suspendSeconds = 2;

        const string ForeignKey = "The settings hold an account key, and whoever has the build would have the whole account. Clear Account Key,"
            + " and choose Token Provider as Credential (or Development Account, for the emulator). Only the emulator's public development"
            + " key may be in a build.";

        /// <summary>The file that remembers created sessions, below <c>Application.persistentDataPath</c>.</summary>
        public const string JournalFile = "arr-sessions.journal";

        /// <summary>Where the credential comes from.</summary>
        public CredentialSource Credential
        {
            get { return credential; }
            set { credential = value; }
        }

        /// <summary>The asset that gives tokens, or null.</summary>
        public TokenProviderAsset TokenProvider
        {
            get { return tokenProvider; }
            set { tokenProvider = value; }
        }

        /// <summary>The account's id, a GUID.</summary>
        public string AccountId
        {
            get { return accountId; }
            set { accountId = value ?? ""; }
        }

        /// <summary>The account's key, for use in the Editor.</summary>
        public string AccountKey
        {
            get { return accountKey; }
            set { accountKey = value ?? ""; }
        }

        /// <summary>Where the account was made: a domain, a region or a URL.</summary>
        public string AccountDomain
        {
            get { return accountDomain; }
            set { accountDomain = value ?? ""; }
        }

        /// <summary>Where sessions run: a region, a host or a URL.</summary>
        public string ServiceEndpoint
        {
            get { return serviceEndpoint; }
            set { serviceEndpoint = value ?? ""; }
        }

        /// <summary>The version of the REST API to speak.</summary>
        public ApiVersion ApiVersion
        {
            get { return apiVersion; }
            set { apiVersion = value; }
        }

        /// <summary>PEM text with further certificate authorities to trust.</summary>
        public string CertificateAuthorities
        {
            get { return certificateAuthorities; }
            set { certificateAuthorities = value ?? ""; }
        }

        /// <summary>Which other certificate authorities to trust.</summary>
        public TrustedRoots Trust
        {
            get { return trust; }
            set { trust = value; }
        }

        /// <summary>"system", "none" or a URL; empty is "system".</summary>
        public string Proxy
        {
            get { return proxy; }
            set { proxy = value ?? ""; }
        }

        /// <summary>The most that a call may take; zero is the library's default.</summary>
        public TimeSpan CallTimeout
        {
            get { return TimeSpan.FromSeconds(callTimeoutSeconds); }
            set { callTimeoutSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>How often a starting session is read; zero is what the service asks for.</summary>
        public TimeSpan PollInterval
        {
            get { return TimeSpan.FromSeconds(pollIntervalSeconds); }
            set { pollIntervalSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>How often a ready session is read; zero is the library's default.</summary>
        public TimeSpan ReadyPollInterval
        {
            get { return TimeSpan.FromSeconds(readyPollIntervalSeconds); }
            set { readyPollIntervalSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>Whether created sessions are remembered in a file.</summary>
        public bool Journal
        {
            get { return journal; }
            set { journal = value; }
        }

        /// <summary>What of the library's log goes to the console.</summary>
        public ArrLogLevel LogLevel
        {
            get { return logLevel; }
            set { logLevel = value; }
        }

        /// <summary>How long a shutdown may hold the main thread.</summary>
        public TimeSpan ShutdownLimit
        {
            get { return TimeSpan.FromSeconds(shutdownSeconds); }
            set { shutdownSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>When the application counts as suspended.</summary>
        public SuspendTrigger SuspendOn
        {
            get { return suspendOn; }
            set { suspendOn = value; }
        }

        /// <summary>How long a suspend may hold the main thread.</summary>
        public TimeSpan SuspendLimit
        {
            get { return TimeSpan.FromSeconds(suspendSeconds); }
            set { suspendSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>Whether an account key is in here that is not the public one of the development account.</summary>
        public bool HoldsForeignKey
        {
            get
            {
                string key = accountKey == null ? "" : accountKey.Trim();
                return key.Length > 0 && key != DevelopmentAccount.AccountKey;
            }
        }

        /// <summary>
        /// What is wrong with these settings, with what to do about it; null if nothing is.
        /// </summary>
        /// <param name="inBuild">Whether they are for a build, which must hold no key.</param>
        /// <param name="hasProviderBeside">Whether a token provider component stands beside the session.</param>
        public string FindProblem(bool inBuild, bool hasProviderBeside)
        {
            if (inBuild && HoldsForeignKey)
            {
                return ForeignKey;
            }
            switch (credential)
            {
                case CredentialSource.DevelopmentAccount:
                    return null;
                case CredentialSource.TokenProvider:
                    if (tokenProvider == null && !hasProviderBeside)
                    {
                        return "There is no token provider. Set Token Provider to an asset whose class derives from TokenProviderAsset,"
                            + " or put a component that derives from TokenProviderBehaviour beside the Remote Rendering Session.";
                    }
                    return FindMissing();
                case CredentialSource.AccountKeyInEditor:
                    if (inBuild)
                    {
                        return "Credential is Account Key In Editor, which a build cannot use. Choose Token Provider (or Development"
                            + " Account, for the emulator).";
                    }
                    return IsEmpty(accountKey) ? "Account Key is empty. Copy it from the account, or choose another Credential." : FindMissing();
                default:
                    return "There is no credential. Choose Development Account as Credential for the emulator, or Token Provider for a real"
                        + " service.";
            }
        }

        /// <summary>Whether this application, on this platform, counts a pause or a loss of focus as a suspend.</summary>
        internal bool SuspendsOn(bool pause)
        {
            switch (suspendOn)
            {
                case SuspendTrigger.Pause: return pause;
                case SuspendTrigger.PauseOrFocusLoss: return true;
                case SuspendTrigger.Never: return false;
                default: return pause && IsMobile(Application.platform);
            }
        }

        /// <summary>
        /// A client's options from these settings, for a client of your own: see <see cref="SessionPump.Add"/>.
        /// </summary>
        /// <param name="token">The token provider's first token, or null without one.</param>
        /// <param name="kind">What it is.</param>
        /// <exception cref="InvalidOperationException">This is a build, and there is an account key in it.</exception>
        public ArrClientOptions ToOptions(string token = null, TokenKind kind = TokenKind.AccessToken)
        {
            if (!Application.isEditor && HoldsForeignKey) throw new InvalidOperationException(ForeignKey);
            ArrClientOptions options = new ArrClientOptions
            {
                AccountId = accountId,
                AccountDomain = accountDomain,
                ServiceEndpoint = serviceEndpoint,
                ApiVersion = apiVersion,
                CaPem = OrNull(certificateAuthorities),
                Trust = trust,
                Proxy = OrNull(proxy),
                CallTimeout = OrDefault(CallTimeout),
                PollInterval = OrDefault(PollInterval),
                ReadyPollInterval = OrDefault(ReadyPollInterval),
                LogLevel = logLevel,
                UserAgentSuffix = "Unity",
                PumpMode = PumpMode.Manual,
            };
            if (journal) options.JournalPath = Path.Combine(Application.persistentDataPath, JournalFile);
            switch (credential)
            {
                case CredentialSource.DevelopmentAccount:
                    options.AccountId = DevelopmentAccount.AccountId;
                    options.AccountKey = DevelopmentAccount.AccountKey;
                    if (IsEmpty(accountDomain)) options.AccountDomain = IsEmpty(serviceEndpoint) ? DevelopmentAccount.Url : serviceEndpoint;
                    if (IsEmpty(serviceEndpoint)) options.ServiceEndpoint = options.AccountDomain;
                    break;
                case CredentialSource.TokenProvider:
                    if (kind == TokenKind.EntraToken) options.EntraToken = token;
                    else options.AccessToken = token;
                    options.TokenOnRequest = true;
                    break;
                default:
                    options.AccountKey = accountKey;
                    break;
            }
            return options;
        }

        string FindMissing()
        {
            if (IsEmpty(accountId)) return "Account Id is empty. Copy the account's id, a GUID.";
            if (IsEmpty(accountDomain)) return "Account Domain is empty. Give the domain or the region in which the account was made.";
            if (IsEmpty(serviceEndpoint)) return "Service Endpoint is empty. Give the region in which sessions shall run, or the service's URL.";
            return null;
        }

        static bool IsMobile(RuntimePlatform platform)
        {
            switch (platform)
            {
                case RuntimePlatform.Android:
                case RuntimePlatform.IPhonePlayer:
                case RuntimePlatform.WSAPlayerX86:
                case RuntimePlatform.WSAPlayerX64:
                case RuntimePlatform.WSAPlayerARM:
                    return true;
                default:
                    return false;
            }
        }

        static bool IsEmpty(string text)
        {
            return text == null || text.Trim().Length == 0;
        }

        static string OrNull(string text)
        {
            return IsEmpty(text) ? null : text;
        }

        static TimeSpan? OrDefault(TimeSpan time)
        {
            return time > TimeSpan.Zero ? time : (TimeSpan?)null;
        }
    }
}
