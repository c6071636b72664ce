using System;
using System.Collections.Generic;

namespace ArrSession
{
    /// <summary>Reads a native list of sessions, and frees it.</summary>
    internal static unsafe class SessionList
    {
        internal static IReadOnlyList<SessionProperties> Read(IntPtr native)
        {
            using (SessionListHandle list = new SessionListHandle(native))
            {
                int count = Count(list);
                SessionProperties[] sessions = new SessionProperties[count];
                for (int i = 0; i < count; i++)
                {
                    sessions[i] = Get(list, i);
                }
                return sessions;
            }
        }

        internal static IReadOnlyList<RecoveredSession> ReadRecovered(IntPtr native, ArrClient client)
        {
            using (SessionListHandle list = new SessionListHandle(native))
            {
                int count = Count(list);
                RecoveredSession[] sessions = new RecoveredSession[count];
                for (int i = 0; i < count; i++)
                {
                    arr_error_info error = Blank.Error;
                    IntPtr session = IntPtr.Zero;
                    SessionProperties properties = Get(list, i);
                    int status = Native.arr_session_list_get_session(list.Value, (UIntPtr)(uint)i, &session, &error);
                    ArrException.ThrowIfFailed(status, &error, "SessionList");
                    sessions[i] = new RecoveredSession(new RenderingSession(client, session, properties.SessionId), properties);
                }
                return sessions;
            }
        }

        private static int Count(SessionListHandle list)
        {
            arr_error_info error = Blank.Error;
            UIntPtr count = UIntPtr.Zero;
            ArrException.ThrowIfFailed(Native.arr_session_list_count(list.Value, &count, &error), &error, "SessionList");
            return (int)(uint)count;
        }

        private static SessionProperties Get(SessionListHandle list, int index)
        {
            arr_error_info error = Blank.Error;
            arr_session_properties properties = Blank.Properties;
            int status = Native.arr_session_list_get(list.Value, (UIntPtr)(uint)index, &properties, &error);
            ArrException.ThrowIfFailed(status, &error, "SessionList");
            return new SessionProperties(&properties);
        }
    }
}
