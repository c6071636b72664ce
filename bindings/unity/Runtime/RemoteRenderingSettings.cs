using System;
using System.IO;
using UnityEngine;

namespace ArrSession.Unity
{
    /// <summary>Where the credential comes from.</summary>
    public enum CredentialSource
    {
        /// <summary>None yet. Sessions cannot start, and builds fail.</summary>
        None,

        /// <summary>The emulator's development account. Its key is public, and the only key allowed in a build.</summary>
        DevelopmentAccount,

        /// <summary>A token provider: the asset set here, or a component next to the session.</summary>
        TokenProvider,

        /// <summary>The account's own key, in the Editor only. Builds with it fail.</summary>
        AccountKeyInEditor,
    }

    /// <summary>What counts as a suspend.</summary>
    public enum SuspendTrigger
    {
        /// <summary>
        /// On headsets, phones and store apps (Android, iOS, UWP): a pause, for example taking the headset off. On desktops
        /// and in the Editor: nothing.
        /// </summary>
        PlatformDefault,

        /// <summary>A pause of the application.</summary>
        Pause,

        /// <summary>A pause of the application, or losing the focus.</summary>
        PauseOrFocusLoss,

        /// <summary>Only <see cref="RemoteRenderingSession.Suspend"/>.</summary>
        Never,
    }

    /// <summary>
    /// Account, service and behaviour, shared by a project's sessions. Create one with Assets > Create > Remote Rendering >
    /// Settings.
    /// </summary>
    [CreateAssetMenu(menuName = "Remote Rendering/Settings", fileName = "RemoteRenderingSettings")]
    public sealed class RemoteRenderingSettings : ScriptableObject
    {
        [Header("Credential")]
        [Tooltip("Where the credential comes from. A build fails if it would contain an account key other than the development account's.")]
        [SerializeField] CredentialSource credential = CredentialSource.DevelopmentAccount;
        [Tooltip("For Token Provider: the asset that supplies tokens. A Token Provider component next to the session takes precedence.")]
        [SerializeField] TokenProviderAsset tokenProvider = null;
        [Tooltip("The account's id, a GUID. Not needed for the development account.")]
        [SerializeField] string accountId = "";
        [Tooltip("For Account Key In Editor: the primary or secondary key. Clear it before you build.")]
        [SerializeField] string accountKey = "";

        [Header("Service")]
        [Tooltip("Where the account was created: its account domain, a region or a URL. Empty with the development account: the emulator on this machine.")]
        [SerializeField] string accountDomain = "";
        [Tooltip("Where sessions run: a region, a host or a URL. Empty with the development account: the emulator on this machine.")]
        [SerializeField] string serviceEndpoint = "";
        [Tooltip("The version of the REST API.")]
        [SerializeField] ApiVersion apiVersion = ApiVersion.V1;
        [Tooltip("Additional certificate authorities to trust, as PEM text; for example the emulator's.")]
        [TextArea]
        [SerializeField] string certificateAuthorities = "";
        [Tooltip("Which certificate authorities to trust besides those in Certificate Authorities. Auto: the device's if the library can use them, else Mozilla's list. Platform: only the device's. Bundled: only Mozilla's list.")]
        [SerializeField] TrustedRoots trust = TrustedRoots.Auto;
        [Tooltip("\"system\", \"none\" or a URL. Empty: \"system\".")]
        [SerializeField] string proxy = "";

        [Header("Behaviour")]
        [Tooltip("Limit for a call, retries included, in seconds. 0: the default, 60 s.")]
        [Min(0)]
        [SerializeField] float callTimeoutSeconds = 0;
        [Tooltip("How often to poll a starting session, in seconds. 0: the default, 10 s (2 s for a standard session with REST 2021-01-01; 0.25 s if the service is on this machine).")]
        [Min(0)]
        [SerializeField] float pollIntervalSeconds = 0;
        [Tooltip("How often to poll a ready session, in seconds. 0: the default, 30 s.")]
        [Min(0)]
        [SerializeField] float readyPollIntervalSeconds = 0;
        [Tooltip("Record created sessions in a folder below Application.persistentDataPath, so that the next run finds sessions that a crash left running.")]
        [SerializeField] bool journal = true;
        [Tooltip("Which log lines go to the console.")]
        [SerializeField] ArrLogLevel logLevel = ArrLogLevel.Warning;
        [Tooltip("The longest that ending the sessions' clients may block the main thread, in seconds: when play mode begins or ends, on a reload, and on quitting. A reload or quitting may take 3 s even if this is less.")]
        [Min(0)]
        [SerializeField] float shutdownSeconds = 3;
        [Tooltip("What counts as a suspend. Platform Default: a pause, on headsets, phones and store apps only.")]
        [SerializeField] SuspendTrigger suspendOn = SuspendTrigger.PlatformDefault;
        [Tooltip("How long a suspend may block the main thread, in seconds. Windows gives store apps 5 s in all.")]
        [Min(0)]
        [SerializeField] float suspendSeconds = 2;

        const string ForeignKey = "The settings contain an account key, which would give everyone with the build the whole account. Clear Account Key,"
            + " and choose Token Provider as Credential (or Development Account, for the emulator). Only the emulator's public development"
            + " key may be in a build.";

        /// <summary>The journal folder's name below <c>Application.persistentDataPath</c>.</summary>
        public const string JournalFolder = "arr-journal";

        /// <summary>Where the credential comes from.</summary>
        public CredentialSource Credential
        {
            get { return credential; }
            set { credential = value; }
        }

        /// <summary>The asset that supplies tokens, or null.</summary>
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

        /// <summary>The account's key, for the Editor only.</summary>
        public string AccountKey
        {
            get { return accountKey; }
            set { accountKey = value ?? ""; }
        }

        /// <summary>Where the account was created: a domain, a region or a URL.</summary>
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

        /// <summary>The version of the REST API.</summary>
        public ApiVersion ApiVersion
        {
            get { return apiVersion; }
            set { apiVersion = value; }
        }

        /// <summary>Additional certificate authorities to trust, as PEM text.</summary>
        public string CertificateAuthorities
        {
            get { return certificateAuthorities; }
            set { certificateAuthorities = value ?? ""; }
        }

        /// <summary>
        /// Which certificate authorities to trust besides those in <see cref="CertificateAuthorities"/>. Default
        /// <see cref="TrustedRoots.Auto"/>.
        /// </summary>
        public TrustedRoots Trust
        {
            get { return trust; }
            set { trust = value; }
        }

        /// <summary>"system", "none" or a URL. Empty means "system".</summary>
        public string Proxy
        {
            get { return proxy; }
            set { proxy = value ?? ""; }
        }

        /// <summary>Limit for a call, retries included. Zero for the default, 60 s.</summary>
        public TimeSpan CallTimeout
        {
            get { return TimeSpan.FromSeconds(callTimeoutSeconds); }
            set { callTimeoutSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>
        /// How often to poll a starting session. Zero for the default: 10 s; 2 s for a standard session with REST
        /// 2021-01-01; 250 ms if the service is on this machine.
        /// </summary>
        public TimeSpan PollInterval
        {
            get { return TimeSpan.FromSeconds(pollIntervalSeconds); }
            set { pollIntervalSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>How often to poll a ready session. Zero for the default, 30 s.</summary>
        public TimeSpan ReadyPollInterval
        {
            get { return TimeSpan.FromSeconds(readyPollIntervalSeconds); }
            set { readyPollIntervalSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>Whether to record created sessions in the journal. Default true.</summary>
        public bool Journal
        {
            get { return journal; }
            set { journal = value; }
        }

        /// <summary>Which log lines go to the console. Default <see cref="ArrLogLevel.Warning"/>.</summary>
        public ArrLogLevel LogLevel
        {
            get { return logLevel; }
            set { logLevel = value; }
        }

        /// <summary>
        /// The longest that ending the sessions' clients may block the main thread: when play mode begins or ends, on a
        /// reload, and on quitting. A reload or quitting may take 3 s even if this is less. Default 3 s.
        /// </summary>
        public TimeSpan ShutdownLimit
        {
            get { return TimeSpan.FromSeconds(shutdownSeconds); }
            set { shutdownSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>What counts as a suspend. Default <see cref="SuspendTrigger.PlatformDefault"/>.</summary>
        public SuspendTrigger SuspendOn
        {
            get { return suspendOn; }
            set { suspendOn = value; }
        }

        /// <summary>How long a suspend may block the main thread. Default 2 s.</summary>
        public TimeSpan SuspendLimit
        {
            get { return TimeSpan.FromSeconds(suspendSeconds); }
            set { suspendSeconds = (float)value.TotalSeconds; }
        }

        /// <summary>Whether there is an account key other than the development account's.</summary>
        public bool HoldsForeignKey
        {
            get
            {
                string key = accountKey == null ? "" : accountKey.Trim();
                return key.Length > 0 && key != DevelopmentAccount.AccountKey;
            }
        }

        /// <summary>
        /// What is wrong with these settings, and how to fix it; null if nothing is.
        /// </summary>
        /// <param name="inBuild">Whether to check them for a build, which must contain no account key.</param>
        /// <param name="hasProviderBeside">Whether there is a token provider component next to the session.</param>
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
                            + " or add a component that derives from TokenProviderBehaviour next to the Remote Rendering Session.";
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

        /// <summary>Whether a pause (else a loss of focus) counts as a suspend on this platform.</summary>
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
        /// Client options from these settings, for your own client: see <see cref="SessionPump.Add"/>.
        /// </summary>
        /// <param name="token">The token provider's first token; null without a provider.</param>
        /// <param name="kind">The token's kind.</param>
        /// <exception cref="InvalidOperationException">This is a build, and the settings contain an account key.</exception>
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
            if (journal) options.JournalFolder = Path.Combine(Application.persistentDataPath, JournalFolder);
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
            if (IsEmpty(accountId)) return "Account Id is empty. Enter the account's id, a GUID.";
            if (IsEmpty(accountDomain)) return "Account Domain is empty. Enter the domain or region where the account was created.";
            if (IsEmpty(serviceEndpoint)) return "Service Endpoint is empty. Enter the region where sessions should run, or the service's URL.";
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
