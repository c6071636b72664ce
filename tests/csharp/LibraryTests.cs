using System;
using System.Runtime.InteropServices;
using ArrSession;

/// <summary>
/// The exception for a missing or wrong native library. Each case runs in its own process; ARR_EXPECT names it.
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
                Check.True(e.InnerException != null, "the system's error");
                break;
            default:
                throw new CheckFailed("unknown expectation " + what);
        }
        // Every entry point throws, every time.
        Check.Throws<ArrLibraryException>(() => new ArrClient(new ArrClientOptions()), "another client");
        Check.Throws<ArrLibraryException>(() => ArrClient.LibraryVersion.ToString(), "the version");
        Check.Throws<ArrLibraryException>(() => ArrClient.ShutdownAll(TimeSpan.Zero), "the end of all");
        return e.Message;
    }

    internal static void TheVersion()
    {
        string version = Native.ARR_VERSION_MAJOR + "." + Native.ARR_VERSION_MINOR + "." + Native.ARR_VERSION_PATCH;
        Check.Equal(version, ArrClient.LibraryVersion, "version");
        long number = ArrClient.LibraryVersionNumber;
        Check.Equal(version, number / 1000000 + "." + number / 1000 % 1000 + "." + number % 1000, "version as a number");
    }
}
