using System;

namespace ArrSession
{
    /// <summary>
    /// The native library cannot be used: it is missing, built for another architecture, or of a version that does not
    /// match these sources. The message says which, and how to fix it. Until then, nothing in this namespace works.
    /// </summary>
    public sealed class ArrLibraryException : Exception
    {
        internal ArrLibraryException(string message, string architecture, uint? foundVersion, Exception cause)
            : base(message, cause)
        {
            ProcessArchitecture = architecture;
            FoundAbiVersion = foundVersion;
        }

        /// <summary>The library's name without the platform's prefix and suffix: "arr_session".</summary>
        public string LibraryName
        {
            get { return Native.Library; }
        }

        /// <summary>The architecture that this process needs, for example "X64" or "Arm64".</summary>
        public string ProcessArchitecture { get; }

        /// <summary>The ABI version that these sources need.</summary>
        public int ExpectedAbiVersion
        {
            get { return (int)Native.ARR_ABI_VERSION; }
        }

        /// <summary>The ABI version of the loaded library; null if none was loaded.</summary>
        public long? FoundAbiVersion { get; }
    }
}
