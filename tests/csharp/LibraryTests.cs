using System;
using System.Runtime.InteropServices;
using ArrSession;

/// <summary>
/// What is said when the native library is missing, or is another. Each needs a process of its own, which the environment tells
/// what to expect: ARR_EXPECT.
/// </summary>
internal static class LibraryTests
{
    internal static string Expect(string what)
    {
        ArrLibraryException e = Check.Throws<ArrLibraryException>(() => new ArrClient(new ArrClientOptions()), "a client");
        string architecture = RuntimeInformation.ProcessArchitecture.ToString();
        Check.Equal("arr_session", e.LibraryName, "the library's name");
        Check.Equal(architecture, e.ProcessArchitecture, "the process's architecture");
        Check.Equal((int)Native.ARR_ABI_VERSION, e.ExpectedAbiVersion, "the version that is expected");
        Check.Contains("\"arr_session\"", e.Message, "its message");
        Check.Contains(architecture, e.Message, "its message");
        Check.Contains("needs ABI version " + Native.ARR_ABI_VERSION, e.Message, "its message");
        switch (what)
        {
            case "wrong-abi":
                Check.Equal(1000L, e.FoundAbiVersion, "the version that was found");
                Check.Contains("has ABI version 1000", e.Message, "its message");
                Check.Contains("from the same release", e.Message, "its message");
                break;
            case "wrong-file":
            case "no-library":
                Check.Equal(null, e.FoundAbiVersion, "the version that was found");
                Check.Contains("LD_LIBRARY_PATH", e.Message, "its message");
                Check.True(e.InnerException != null, "what the system said");
                break;
            default:
                throw new CheckFailed("nobody knows what to expect of " + what);
        }
        // It is said again, and by everything that comes first.
        Check.Throws<ArrLibraryException>(() => new ArrClient(new ArrClientOptions()), "another client");
        Check.Throws<ArrLibraryException>(() => ArrClient.LibraryVersion.ToString(), "the version");
        Check.Throws<ArrLibraryException>(() => ArrClient.ShutdownAll(TimeSpan.Zero), "the end of all");
        return e.Message;
    }

    internal static void TheVersion()
    {
        string version = Native.ARR_VERSION_MAJOR + "." + Native.ARR_VERSION_MINOR + "." + Native.ARR_VERSION_PATCH;
        Check.Equal(version, ArrClient.LibraryVersion, "version");
    }
}
