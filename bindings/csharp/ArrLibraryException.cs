using System;

namespace ArrSession
{
    /// <summary>
    /// The native library cannot be used: it is missing, of another architecture, or of a version that these sources do not fit.
    /// The message says which, and how to mend it. Nothing of this namespace works until then.
    /// </summary>
    public sealed class ArrLibraryException : Exception
    {
        internal ArrLibraryException(string message, string architecture, uint? foundVersion, Exception cause)
            : base(message, cause)
        {
            ProcessArchitecture = architecture;
            FoundAbiVersion = foundVersion;
        }

        /// <summary>The library's name, without what the platform puts around it: "arr_session".</summary>
        public string LibraryName
        {
            get { return Native.Library; }
        }

        /// <summary>What this process needs: for example "X64" or "Arm64".</summary>
        public string ProcessArchitecture { get; }

        /// <summary>The ABI version that these sources are written for.</summary>
        public int ExpectedAbiVersion
        {
            get { return (int)Native.ARR_ABI_VERSION; }
        }

        /// <summary>The ABI version of the library that was loaded; null if none was.</summary>
        public long? FoundAbiVersion { get; }
    }
}
