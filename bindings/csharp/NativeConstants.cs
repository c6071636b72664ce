// The numbers of arr_session.h, under their names there and in its order: generated from it.

namespace ArrSession
{
    internal static unsafe partial class Native
    {
        internal const int ARR_VERSION_MAJOR = 0;
        internal const int ARR_VERSION_MINOR = 1;
        internal const int ARR_VERSION_PATCH = 0;

        internal const int ARR_ABI_VERSION = 1;

        internal const int ARR_ERROR_INFO_SIZE_V1 = 736;
        internal const int ARR_LOG_ENTRY_SIZE_V1 = 672;

        internal const int ARR_RETRIES_NONE = -1;

        internal const int ARR_CLIENT_OPTIONS_SIZE_V1 = 136;

        internal const int ARR_TIMEOUT_DEFAULT = 0;

        internal const uint ARR_WAIT_FOREVER = uint.MaxValue;

        internal const int ARR_STOP_ALL_RESULT_SIZE_V1 = 16;
        internal const int ARR_SESSION_PROPERTIES_SIZE_V1 = 1160;

        internal const int ARR_READ_FRESH = 0;
        internal const int ARR_READ_CACHED = 1;
        internal const int ARR_READ_KNOWN = 2;

        internal const int ARR_SESSION_CREATE_OPTIONS_SIZE_V1 = 48;
        internal const int ARR_EVENT_SIZE_V1 = 328;
        internal const int ARR_SNAPSHOT_SIZE_V1 = 48;
        internal const int ARR_WATCH_OPTIONS_SIZE_V1 = 24;
        internal const int ARR_KEEP_ALIVE_OPTIONS_SIZE_V1 = 24;
        internal const int ARR_RESUME_OPTIONS_SIZE_V1 = 16;

        internal const int ARR_OK = 0;
        internal const int ARR_ERROR_INVALID_ARGUMENT = -100;
        internal const int ARR_ERROR_INVALID_HANDLE = -101;
        internal const int ARR_ERROR_BUFFER_TOO_SMALL = -102;
        internal const int ARR_ERROR_UNSUPPORTED = -103;
        internal const int ARR_ERROR_SHUT_DOWN = -200;
        internal const int ARR_ERROR_TIMEOUT = -201;
        internal const int ARR_ERROR_CANCELLED = -202;
        internal const int ARR_ERROR_PENDING = -203;
        internal const int ARR_ERROR_UNAUTHORIZED = -300;
        internal const int ARR_ERROR_FORBIDDEN = -301;
        internal const int ARR_ERROR_INVALID_TOKEN = -302;
        internal const int ARR_ERROR_NETWORK = -400;
        internal const int ARR_ERROR_NAME_RESOLUTION = -401;
        internal const int ARR_ERROR_TLS = -402;
        internal const int ARR_ERROR_BAD_REQUEST = -500;
        internal const int ARR_ERROR_NOT_FOUND = -501;
        internal const int ARR_ERROR_CONFLICT = -502;
        internal const int ARR_ERROR_THROTTLED = -503;
        internal const int ARR_ERROR_SERVICE_FAILURE = -504;
        internal const int ARR_ERROR_UNEXPECTED_REPLY = -505;
        internal const int ARR_ERROR_OUTCOME_UNKNOWN = -506;
        internal const int ARR_ERROR_SESSION_ENDED = -600;
        internal const int ARR_ERROR_SESSION_FAILED = -601;
        internal const int ARR_ERROR_STORAGE = -700;
        internal const int ARR_ERROR_INTERNAL = -900;

        internal const int ARR_CATEGORY_OTHER = -1;
        internal const int ARR_CATEGORY_OK = 0;
        internal const int ARR_CATEGORY_USAGE = 1;
        internal const int ARR_CATEGORY_ENDED = 2;
        internal const int ARR_CATEGORY_AUTHENTICATION = 3;
        internal const int ARR_CATEGORY_NETWORK = 4;
        internal const int ARR_CATEGORY_SERVICE = 5;
        internal const int ARR_CATEGORY_SESSION = 6;
        internal const int ARR_CATEGORY_STORAGE = 7;
        internal const int ARR_CATEGORY_INTERNAL = 9;

        internal const int ARR_LOG_LEVEL_OFF = 0;
        internal const int ARR_LOG_LEVEL_ERROR = 1;
        internal const int ARR_LOG_LEVEL_WARNING = 2;
        internal const int ARR_LOG_LEVEL_INFO = 3;
        internal const int ARR_LOG_LEVEL_DEBUG = 4;

        internal const int ARR_API_VERSION_V1 = 1;
        internal const int ARR_API_VERSION_2021_01_01 = 2;

        internal const int ARR_TRUST_AUTO = 0;
        internal const int ARR_TRUST_PLATFORM = 1;
        internal const int ARR_TRUST_BUNDLED = 2;

        internal const int ARR_STOP_SCOPE_OWN = 0;
        internal const int ARR_STOP_SCOPE_ACCOUNT = 1;

        internal const int ARR_SESSION_SIZE_UNKNOWN = 0;
        internal const int ARR_SESSION_SIZE_STANDARD = 1;
        internal const int ARR_SESSION_SIZE_PREMIUM = 2;
        internal const int ARR_SESSION_STATUS_UNKNOWN = 0;
        internal const int ARR_SESSION_STATUS_STARTING = 1;
        internal const int ARR_SESSION_STATUS_READY = 2;
        internal const int ARR_SESSION_STATUS_STOPPED = 3;
        internal const int ARR_SESSION_STATUS_EXPIRED = 4;
        internal const int ARR_SESSION_STATUS_ERROR = 5;
        internal const int ARR_SESSION_STATUS_STOPPING = 6;

        internal const int ARR_CLAIM_NONE = 0;
        internal const int ARR_CLAIM_OURS = 1;
        internal const int ARR_CLAIM_CANDIDATE = 2;

        internal const int ARR_OPERATION_RUNNING = 0;
        internal const int ARR_OPERATION_SUCCEEDED = 1;
        internal const int ARR_OPERATION_FAILED = 2;
        internal const int ARR_OPERATION_CANCELLED = 3;

        internal const int ARR_EVENT_NONE = 0;
        internal const int ARR_EVENT_OPERATION_ENDED = 1;
        internal const int ARR_EVENT_SESSION_STATUS_CHANGED = 2;
        internal const int ARR_EVENT_LEASE_EXTENDED = 3;
        internal const int ARR_EVENT_LEASE_EXPIRING = 4;
        internal const int ARR_EVENT_LEASE_NOT_EXTENDED = 5;
        internal const int ARR_EVENT_LEASE_CAP_REACHED = 6;
        internal const int ARR_EVENT_KEEP_ALIVE_PAUSED = 7;
        internal const int ARR_EVENT_TOKEN_NEEDED = 8;
        internal const int ARR_EVENT_RESUMED = 9;
        internal const int ARR_EVENT_CREATE_LOST = 10;
        internal const int ARR_EVENT_SESSION_LEFT_RUNNING = 11;

        internal const int ARR_ON_SUSPEND_LEAVE = 0;
        internal const int ARR_ON_SUSPEND_EXTEND = 1;
        internal const int ARR_ON_SUSPEND_STOP = 2;
    }
}
