using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using ArrSession;

// These fields are only used by reflection.
#pragma warning disable 0169

/// <summary>The native declarations are complete and correct on this runtime.</summary>
internal static class DeclarationTests
{
    // A struct's offset after a byte is its alignment.
    private struct ErrorInfo { byte first; arr_error_info it; }
    private struct LogEntry { byte first; arr_log_entry it; }
    private struct ClientOptions { byte first; arr_client_options it; }
    private struct StopAllResult { byte first; arr_stop_all_result it; }
    private struct Properties { byte first; arr_session_properties it; }
    private struct CreateOptions { byte first; arr_session_create_options it; }
    private struct Event { byte first; arr_event it; }
    private struct Snapshot { byte first; arr_snapshot it; }
    private struct WatchOptionsBehind { byte first; arr_watch_options it; }
    private struct KeepAliveOptionsBehind { byte first; arr_keep_alive_options it; }
    private struct ReuseOptions { byte first; arr_reuse_options it; }

    private static readonly Type[] Behind =
    {
        typeof(ErrorInfo), typeof(LogEntry), typeof(ClientOptions), typeof(StopAllResult), typeof(Properties),
        typeof(CreateOptions), typeof(Event), typeof(Snapshot), typeof(WatchOptionsBehind),
        typeof(KeepAliveOptionsBehind), typeof(ReuseOptions),
    };

    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    private const BindingFlags Constants = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Sizes, alignments and offsets match ARR_LAYOUT, the repository's abi/layout.txt.</summary>
    internal static void StructLayoutsMatchC()
    {
        List<string> expected = new List<string>();
        List<string> found = new List<string>();
        foreach (string line in File.ReadAllLines(Service.Variable("ARR_LAYOUT")))
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            expected.Add(line);
            if (line.StartsWith("struct ", StringComparison.Ordinal))
            {
                Describe(line.Split(' ')[1], found);
            }
        }
        Check.True(expected.Count > 0, "a layout");
        string name = "";
        for (int i = 0; i < expected.Count; i++)
        {
            name = expected[i].StartsWith("struct ", StringComparison.Ordinal) ? expected[i] : name;
            Check.Equal(expected[i], i < found.Count ? found[i] : null, "in C and in C#, " + name);
        }
        Check.Equal(expected.Count, found.Count, "structs and fields in C and in C#");
    }

    /// <summary>In the layout's format: the struct's size and alignment, each field's offset and size.</summary>
    private static void Describe(string name, List<string> lines)
    {
        Type behind = Array.Find(Behind, one => one.GetField("it", Fields).FieldType.Name == name);
        if (behind == null)
        {
            throw new CheckFailed("this test has no struct with " + name + " behind a byte: give it one");
        }
        Type type = behind.GetField("it", Fields).FieldType;
        // A type that can be pinned has the same layout in native code, so Marshal's answers hold for both.
        GCHandle.Alloc(Activator.CreateInstance(type), GCHandleType.Pinned).Free();
        lines.Add("struct " + name + " " + Marshal.SizeOf(type) + " " + Marshal.OffsetOf(behind, "it"));
        foreach (FieldInfo field in type.GetFields(Fields))
        {
            int size = field.FieldType.IsPointer ? IntPtr.Size : Marshal.SizeOf(field.FieldType);
            lines.Add("  " + field.Name + " " + Marshal.OffsetOf(type, field.Name) + " " + size);
        }
    }

    /// <summary>Every constant of the header has an enum member.</summary>
    internal static void EnumsHaveAllConstants()
    {
        HasAll(typeof(ArrStatus), "ARR_OK", "ARR_ERROR_");
        HasAll(typeof(ArrCategory), "ARR_CATEGORY_");
        HasAll(typeof(ArrLogLevel), "ARR_LOG_LEVEL_");
        HasAll(typeof(ApiVersion), "ARR_API_VERSION_");
        HasAll(typeof(TrustedRoots), "ARR_TRUST_");
        HasAll(typeof(StopScope), "ARR_STOP_SCOPE_");
        HasAll(typeof(SessionSize), "ARR_SESSION_SIZE_");
        HasAll(typeof(SessionStatus), "ARR_SESSION_STATUS_");
        HasAll(typeof(SessionClaim), "ARR_CLAIM_");
        HasAll(typeof(ArrEventType), "ARR_EVENT_");
        HasAll(typeof(SuspendAction), "ARR_ON_SUSPEND_");
        HasAll(typeof(ReadMode), "ARR_READ_");
    }

    private static void HasAll(Type enumeration, params string[] beginnings)
    {
        FieldInfo[] members = enumeration.GetFields(BindingFlags.Static | BindingFlags.Public);
        int count = 0;
        foreach (FieldInfo constant in typeof(Native).GetFields(Constants))
        {
            bool isOne = Array.Exists(beginnings, one => constant.Name.StartsWith(one, StringComparison.Ordinal));
            if (isOne && !constant.Name.EndsWith("_SIZE_V1", StringComparison.Ordinal))
            {
                count++;
                bool isThere = Array.Exists(members, member => Value(member) == Value(constant));
                Check.True(isThere, enumeration.Name + " has a member for " + constant.Name);
            }
        }
        Check.Equal(count, members.Length, "constants " + beginnings[0] + "…, and members of " + enumeration.Name);
    }

    private static long Value(FieldInfo constant)
    {
        return Convert.ToInt64(constant.GetRawConstantValue());
    }
}
