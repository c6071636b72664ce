using System;

namespace ArrSession
{
    /// <summary>
    /// Each native struct, initialized once and then copied, so that a call in a frame needs no second call to initialize
    /// its struct.
    /// </summary>
    internal static unsafe class Blank
    {
        internal static arr_error_info Error;
        internal static arr_log_entry LogEntry;
        internal static arr_client_options ClientOptions;
        internal static arr_stop_all_result StopAllResult;
        internal static arr_session_properties Properties;
        internal static arr_session_create_options CreateOptions;
        internal static arr_event Event;
        internal static arr_snapshot Snapshot;
        internal static arr_watch_options WatchOptions;
        internal static arr_keep_alive_options KeepAliveOptions;
        internal static arr_reuse_options ReuseOptions;

        internal static void SetUp()
        {
            fixed (arr_error_info* place = &Error)
            {
                Native.arr_error_info_init(place, (UIntPtr)(uint)sizeof(arr_error_info));
            }
            fixed (arr_log_entry* place = &LogEntry)
            {
                Native.arr_log_entry_init(place, (UIntPtr)(uint)sizeof(arr_log_entry));
            }
            fixed (arr_client_options* place = &ClientOptions)
            {
                Native.arr_client_options_init(place, (UIntPtr)(uint)sizeof(arr_client_options));
            }
            fixed (arr_stop_all_result* place = &StopAllResult)
            {
                Native.arr_stop_all_result_init(place, (UIntPtr)(uint)sizeof(arr_stop_all_result));
            }
            fixed (arr_session_properties* place = &Properties)
            {
                Native.arr_session_properties_init(place, (UIntPtr)(uint)sizeof(arr_session_properties));
            }
            fixed (arr_session_create_options* place = &CreateOptions)
            {
                Native.arr_session_create_options_init(place, (UIntPtr)(uint)sizeof(arr_session_create_options));
            }
            fixed (arr_event* place = &Event)
            {
                Native.arr_event_init(place, (UIntPtr)(uint)sizeof(arr_event));
            }
            fixed (arr_snapshot* place = &Snapshot)
            {
                Native.arr_snapshot_init(place, (UIntPtr)(uint)sizeof(arr_snapshot));
            }
            fixed (arr_watch_options* place = &WatchOptions)
            {
                Native.arr_watch_options_init(place, (UIntPtr)(uint)sizeof(arr_watch_options));
            }
            fixed (arr_keep_alive_options* place = &KeepAliveOptions)
            {
                Native.arr_keep_alive_options_init(place, (UIntPtr)(uint)sizeof(arr_keep_alive_options));
            }
            fixed (arr_reuse_options* place = &ReuseOptions)
            {
                Native.arr_reuse_options_init(place, (UIntPtr)(uint)sizeof(arr_reuse_options));
            }
        }
    }
}
