// The structs of arr_session.h, field by field under their names there: generated from it. A test compares sizes and
// offsets with those in C.

using System;
using System.Runtime.InteropServices;

// Fields that only the native side writes, or reads.
#pragma warning disable 0169, 0649

namespace ArrSession
{
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_error_info
    {
        internal uint struct_size;
        internal int status;
        internal int category;
        internal int http_status;
        internal uint retry_after_ms;
        internal int retryable;
        internal int outcome_unknown;
        internal uint message_length;
        internal fixed byte service_code[64];
        internal fixed byte correlation_vector[128];
        internal fixed byte message[512];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_log_entry
    {
        internal uint struct_size;
        internal int level;
        internal ulong unix_time_ms;
        internal ulong lost;
        internal uint message_length;
        internal uint reserved;
        internal fixed byte correlation_vector[128];
        internal fixed byte message[512];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_client_options
    {
        internal uint struct_size;
        internal int api_version;
        internal byte* account_id;
        internal byte* account_domain;
        internal byte* service_endpoint;
        internal byte* account_key;
        internal byte* entra_token;
        internal byte* access_token;
        internal byte* ca_file;
        internal byte* ca_pem;
        internal byte* proxy;
        internal byte* user_agent_suffix;
        internal byte* journal_path;
        internal int trust;
        internal int log_level;
        internal uint call_timeout_ms;
        internal uint attempt_timeout_ms;
        internal uint connect_timeout_ms;
        internal uint poll_interval_ms;
        internal uint ready_poll_interval_ms;
        internal int max_retries;
        internal uint retry_delay_ms;
        internal int token_on_request;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_stop_all_result
    {
        internal uint struct_size;
        internal uint stopped;
        internal uint already_gone;
        internal uint failed;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_session_properties
    {
        internal uint struct_size;
        internal int status;
        internal int size;
        internal int arr_inspector_port;
        internal int handshake_port;
        internal uint max_lease_seconds;
        internal uint elapsed_seconds;
        internal uint remaining_seconds;
        internal uint message_length;
        internal uint age_ms;
        internal int known_to_client;
        internal int claim;
        internal ulong creation_time_unix_ms;
        internal double teraflops;
        internal fixed byte session_id[257];
        internal fixed byte hostname[256];
        internal fixed byte error_code[64];
        internal fixed byte message[512];
        internal fixed byte reserved_tail[7];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_session_create_options
    {
        internal uint struct_size;
        internal int size;
        internal uint max_lease_seconds;
        internal uint reserved;
        internal byte* session_id;
        internal byte** models;
        internal UIntPtr model_count;
        internal byte* extra_json;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_event
    {
        internal uint struct_size;
        internal int type;
        internal ulong user_data;
        internal IntPtr operation;
        internal IntPtr session;
        internal int status;
        internal uint index;
        internal uint count;
        internal int session_status;
        internal uint max_lease_seconds;
        internal uint remaining_seconds;
        internal ulong lost;
        internal fixed byte session_id[257];
        internal fixed byte reserved_tail[7];
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_snapshot
    {
        internal uint struct_size;
        internal int status;
        internal int size;
        internal int arr_inspector_port;
        internal int handshake_port;
        internal uint max_lease_seconds;
        internal uint elapsed_seconds;
        internal uint remaining_seconds;
        internal uint age_ms;
        internal uint reserved;
        internal ulong revision;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_watch_options
    {
        internal uint struct_size;
        internal uint warn_before_seconds;
        internal int stop_on_shutdown;
        internal int on_suspend;
        internal uint suspend_lease_seconds;
        internal uint reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_keep_alive_options
    {
        internal uint struct_size;
        internal uint threshold_seconds;
        internal uint amount_seconds;
        internal uint cap_seconds;
        internal uint liveness_ms;
        internal uint reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct arr_resume_options
    {
        internal uint struct_size;
        internal uint min_remaining_seconds;
        internal byte* session_id;
    }
}

#pragma warning restore 0169, 0649
