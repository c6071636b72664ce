// The functions of arr_session.h, in its order: generated from it. Everything that crosses is blittable: numbers, pointers
// and structs of both, so that nothing is copied or marshalled.

using System;
using System.Runtime.InteropServices;

namespace ArrSession
{
    internal static unsafe partial class Native
    {
        /// <summary>The file's name without what the platform puts around it: no dot, which UWP would not load.</summary>
#if UNITY_IOS && !UNITY_EDITOR
        internal const string Library = "__Internal";
#else
        internal const string Library = "arr_session";
#endif

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern uint arr_abi_version();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte* arr_version_string();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern byte* arr_status_name(int status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_status_category(int status);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_error_info_init(arr_error_info* info, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_log_entry_init(arr_log_entry* entry, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_options_init(arr_client_options* options, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_new(arr_client_options* options, IntPtr* client, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_get_token(
            IntPtr client, byte* buffer, UIntPtr capacity, UIntPtr* needed, uint* remaining_seconds, uint timeout_ms,
            arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_stop_all_result_init(arr_stop_all_result* result, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_stop_all(
            IntPtr client, int scope, arr_stop_all_result* result, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_next_log(
            IntPtr client, arr_log_entry* entry, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void arr_client_free(IntPtr client);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_properties_init(arr_session_properties* properties, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_create_options_init(arr_session_create_options* options, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_create(
            IntPtr client, arr_session_create_options* options, IntPtr* session, arr_session_properties* properties,
            uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_open(
            IntPtr client, byte* session_id, IntPtr* session, arr_session_properties* properties, uint timeout_ms,
            arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_get_id(
            IntPtr session, byte* buffer, UIntPtr capacity, UIntPtr* needed, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_get_message(
            IntPtr session, byte* buffer, UIntPtr capacity, UIntPtr* needed, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_get_properties(
            IntPtr session, uint flags, arr_session_properties* properties, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_update_lease(
            IntPtr session, uint max_lease_seconds, arr_session_properties* properties, uint timeout_ms,
            arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_wait_until_ready(
            IntPtr session, arr_session_properties* properties, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_stop(
            IntPtr session, int* already_gone, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void arr_session_free(IntPtr session);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_list_sessions(
            IntPtr client, IntPtr* list, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_recover_sessions(
            IntPtr client, IntPtr* list, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_list_count(IntPtr list, UIntPtr* count, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_list_get(
            IntPtr list, UIntPtr index, arr_session_properties* properties, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_list_get_session(
            IntPtr list, UIntPtr index, IntPtr* session, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void arr_session_list_free(IntPtr list);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_poll(IntPtr operation, int* state, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_wait(
            IntPtr operation, int* state, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_cancel(IntPtr operation, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_get_error(IntPtr operation, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_get_session(
            IntPtr operation, IntPtr* session, arr_session_properties* properties, int* resumed, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_get_properties(
            IntPtr operation, arr_session_properties* properties, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_get_list(IntPtr operation, IntPtr* list, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_get_token(
            IntPtr operation, byte* buffer, UIntPtr capacity, UIntPtr* needed, uint* remaining_seconds,
            arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_get_stop(IntPtr operation, int* already_gone, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_operation_get_stop_all(
            IntPtr operation, arr_stop_all_result* result, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern void arr_operation_free(IntPtr operation);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_get_token_start(
            IntPtr client, ulong user_data, IntPtr* operation, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_list_sessions_start(
            IntPtr client, ulong user_data, IntPtr* operation, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_recover_sessions_start(
            IntPtr client, ulong user_data, IntPtr* operation, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_stop_all_start(
            IntPtr client, int scope, ulong user_data, IntPtr* operation, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_create_start(
            IntPtr client, arr_session_create_options* options, ulong user_data, IntPtr* operation, uint timeout_ms,
            arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_open_start(
            IntPtr client, byte* session_id, ulong user_data, IntPtr* operation, uint timeout_ms,
            arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_get_properties_start(
            IntPtr session, ulong user_data, IntPtr* operation, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_update_lease_start(
            IntPtr session, uint max_lease_seconds, ulong user_data, IntPtr* operation, uint timeout_ms,
            arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_wait_until_ready_start(
            IntPtr session, ulong user_data, IntPtr* operation, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_stop_start(
            IntPtr session, ulong user_data, IntPtr* operation, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_event_init(arr_event* @event, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_next_event(
            IntPtr client, arr_event* @event, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_snapshot_init(arr_snapshot* snapshot, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_snapshot(IntPtr session, arr_snapshot* snapshot, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_watch_options_init(arr_watch_options* options, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_keep_alive_options_init(arr_keep_alive_options* options, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_watch(
            IntPtr session, arr_watch_options* options, ulong user_data, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_keep_alive(
            IntPtr session, arr_keep_alive_options* options, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_touch(IntPtr session, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_resume_options_init(arr_resume_options* options, UIntPtr size);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_resume_or_create(
            IntPtr client, arr_session_create_options* options, arr_resume_options* resume, IntPtr* session,
            arr_session_properties* properties, int* resumed, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_session_resume_or_create_start(
            IntPtr client, arr_session_create_options* options, arr_resume_options* resume, ulong user_data,
            IntPtr* operation, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_shutdown(IntPtr client, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_shutdown(uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_suspend(IntPtr client, uint timeout_ms, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_resume(IntPtr client, arr_error_info* error);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl, ExactSpelling = true)]
        internal static extern int arr_client_set_token(IntPtr client, byte* token, arr_error_info* error);
    }
}
